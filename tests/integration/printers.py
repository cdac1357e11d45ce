"""Services that handle the platform event Low_Ink__e, what the org keeps of it, and what their store does."""

import time

from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.stores import open_store
from nameko_salesforce.streaming import handle_platform_event

__all__ = ['CHANNEL', 'HOURS', 'Store', 'ids', 'keep', 'organization', 'publish', 'service']

CHANNEL = '/event/Low_Ink__e'
HOURS = 3600.0


def service(handle=None, decorator=None, **options):
    """A service that records the numbers of the events it has handled, and the list."""
    handled = []

    def record(self, name, event):
        number = int(event['payload']['Printer_Model__c'])
        if handle is not None:
            handle(number)
        handled.append(number)

    decorator = decorator or handle_platform_event('Low_Ink__e', **options)
    return type('Service', (), {'name': 'service', 'record': decorator(record)}), handled


def publish(org, *numbers):
    for number in numbers:
        org.ada.create('Low_Ink__e', Printer_Model__c=str(number))


def organization(org):
    [found] = org.ada.query('SELECT Id FROM Organization')
    return found['Id']


class Store:
    """What a service has kept."""

    def __init__(self, org, uri, service='service'):
        self.store = open_store(uri, organization=organization(org), service=service)

    def position(self, channel=CHANNEL):
        return self.store.load(channel)

    def id(self, channel=CHANNEL):
        found = self.position(channel)
        return None if found is None else found.replay_id

    def letters(self):
        return self.store.dead_letters()


def ids(org, channel=CHANNEL):
    """Replay ids of what the org keeps, in order."""
    return [each['event']['replayId'] for each in org.server.retained(channel)]


def keep(store, replay_id, *, seen_ago, created_ago=None, channel=CHANNEL):
    """Have a position in the store, as an earlier process would have left it."""
    now = time.time()
    created = None if created_ago is None else now - created_ago
    store.store.save({channel: Position(replay_id, created, now - seen_ago, now - seen_ago - 86_400)})
