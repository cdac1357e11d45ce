"""The quick start: greet every contact that somebody else creates or changes."""

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.streaming import handle_sobject_notification


class Contacts:
    name = 'contacts'
    salesforce = SalesforceAPI()

    @handle_sobject_notification('Contact')
    def greet(self, sobject_type, record_type, notification):
        contact = notification['sobject']
        print(f'{notification["event"]["type"]}: {contact["Name"]}', flush=True)
        self.salesforce.Contact.update(contact['Id'], {'Description': f'Hello, {contact["Name"]}!'})
