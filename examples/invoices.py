"""Events of a PushTopic that exists in the org."""

from nameko_salesforce.streaming import subscribe


class Invoices:
    name = 'invoices'

    @subscribe('/topic/InvoiceStatementUpdates')
    def handle_event(self, topic, event):
        print(f'{topic}: {event["sobject"]["Name"]} is {event["sobject"]["Status__c"]}', flush=True)
