"""Changes of names of contacts with the record type Student, made by anybody but the service itself."""

from nameko_salesforce.streaming import NotifyForFields, handle_sobject_notification


class Students:
    name = 'students'

    @handle_sobject_notification(
        sobject_type='Contact',
        record_type='Student',
        exclude_current_user=True,
        notify_for_fields=NotifyForFields.select,
        notify_for_operation_update=True,
        notify_for_operation_create=False,
        notify_for_operation_undelete=False,
        notify_for_operation_delete=False,
    )
    def handle_student_updates(self, sobject_type, record_type, notification):
        print(f'{record_type}: {notification["sobject"]["Name"]}', flush=True)
