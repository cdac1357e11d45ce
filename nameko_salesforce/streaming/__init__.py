"""Nameko entrypoints for the Streaming API of Salesforce. Floor 4.

from nameko_salesforce.streaming import handle_sobject_notification

class Service:
    name = 'contacts'

    @handle_sobject_notification('Contact')
    def handle(self, sobject_type, record_type, notification):
        ...
"""

from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.replay.store import DeadLetter, StoreFailed
from nameko_salesforce.streaming.dependencies import DeadLetters, LetterBox, Status, StreamingStatus
from nameko_salesforce.streaming.entrypoints import (
    handle_change_event,
    handle_notification,
    handle_platform_event,
    handle_sobject_notification,
    subscribe,
)
from nameko_salesforce.streaming.gaps import handle_gap
from nameko_salesforce.streaming.resume import Gap
from nameko_salesforce.streaming.status import ChannelReport, StreamReport

__all__ = [
    'ChannelReport',
    'DeadLetter',
    'DeadLetters',
    'Gap',
    'LetterBox',
    'NotifyForFields',
    'Status',
    'StoreFailed',
    'StreamReport',
    'StreamingStatus',
    'handle_change_event',
    'handle_gap',
    'handle_notification',
    'handle_platform_event',
    'handle_sobject_notification',
    'subscribe',
]
