"""Contacts created by RPC. Needs RabbitMQ (`AMQP_URI`)."""

from nameko.rpc import rpc

from nameko_salesforce.api import SalesforceAPI


class Registry:
    name = 'registry'
    salesforce = SalesforceAPI()

    @rpc
    def create_contact(self, last_name, email_address):
        return self.salesforce.Contact.create({'LastName': last_name, 'Email': email_address})
