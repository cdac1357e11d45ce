"""Changes in Salesforce as Nameko events such as `salesforce_lead_updated`. Needs RabbitMQ (`AMQP_URI`)."""

from nameko.events import EventDispatcher

from nameko_salesforce.streaming import handle_sobject_notification


class Proxy:
    name = 'salesforce'
    dispatch = EventDispatcher()

    @handle_sobject_notification('Lead')
    @handle_sobject_notification('Opportunity')
    def handle_changes(self, sobject_type, record_type, notification):
        event = f'salesforce_{sobject_type.lower()}_{notification["event"]["type"]}'
        self.dispatch(event, notification['sobject'])
