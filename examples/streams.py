"""Platform events and change events."""

from nameko_salesforce.streaming import handle_change_event, handle_platform_event


class Streams:
    name = 'streams'

    @handle_platform_event('Low_Ink__e')
    def handle_low_ink(self, name, event):
        print(f'{name}: {event.payload["Printer_Model__c"]}', flush=True)

    @handle_change_event('Account')
    def handle_account(self, entity, event):
        if event.is_gap or event.is_overflow:
            print(f'{entity}: {event.change_type}, read again: {event.record_ids}', flush=True)
        else:
            print(f'{entity}: {event.change_type} {event.record_ids} {event.fields}', flush=True)
