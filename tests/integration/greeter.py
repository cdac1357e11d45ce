"""A service that streams, declares and calls REST, for the tests of what these share."""

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.streaming import handle_sobject_notification


def greeter() -> tuple[type, list[str]]:
    """A service that marks each contact that it hears of as seen, and the names that it has marked."""
    seen: list[str] = []

    class Service:
        name = 'service'
        salesforce = SalesforceAPI()

        @handle_sobject_notification('Contact')
        def handle(self, sobject_type, record_type, notification):
            contact = notification['sobject']
            self.salesforce.Contact.update(contact['Id'], {'Description': 'seen'})
            seen.append(contact['Name'])

    return Service, seen
