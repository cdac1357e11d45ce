"""PushTopics that the service declares itself: every change of contacts, and changes of their names alone.

Name has to be in the query: without it Salesforce notices no change of FirstName and LastName.
"""

from nameko_salesforce.streaming import NotifyForFields, handle_notification


class Notifications:
    name = 'notifications'

    @handle_notification(name='ContactUpdates', query='SELECT Id, Name, Email FROM Contact')
    def handle_contact_updates(self, name, notification):
        print(f'{name}: {notification["event"]["type"]} {notification["sobject"]["Id"]}', flush=True)

    @handle_notification(
        name='ContactNameUpdated',
        query='SELECT Id, Name, FirstName, LastName FROM Contact',
        notify_for_fields=NotifyForFields.select,
        notify_for_operation_update=True,
        notify_for_operation_create=False,
        notify_for_operation_undelete=False,
        notify_for_operation_delete=False,
    )
    def handle_contact_name_updates(self, name, notification):
        contact = notification['sobject']
        print(f'{name}: {contact["FirstName"]} {contact["LastName"]}', flush=True)
