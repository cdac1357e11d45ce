"""Services for `nameko run` in the tests beside this file. They tell what they do in their log."""

import logging
from pathlib import Path

import eventlet
from eventlet.event import Event
from nameko.extensions import DependencyProvider
from nameko.rpc import rpc

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.bayeux import subscribe
from nameko_salesforce.streaming import handle_platform_event, handle_sobject_notification

log = logging.getLogger(__name__)


class Plain:
    name = 'plain'

    @subscribe('/work')
    def work(self, channel, data):
        log.info('handled %s', data)


class Slow:
    """Works on each event until the file exists that the event names."""

    name = 'slow'

    @subscribe('/work')
    def work(self, channel, data):
        gate = Path(data)
        log.info('begun %s', gate.name)
        while not gate.exists():
            eventlet.sleep(0.02)
        log.info('done %s', gate.name)


class Expiring:
    name = 'expiring'

    @subscribe('/work')
    def work(self, channel, data):
        if data == 'expires':
            log.info('begun %s', data)
            raise eventlet.Timeout()
        log.info('handled %s', data)


class Doomed(DependencyProvider):
    """Dies when a worker says so."""

    def start(self):
        self.death = Event()
        self.container.spawn_managed_thread(self.death.wait)

    def get_dependency(self, worker_ctx):
        return self.death


class Dying:
    name = 'dying'
    death = Doomed()

    @subscribe('/work')
    def work(self, channel, data):
        log.info('begun %s', data)
        self.death.send_exception(LookupError('the other extension died'))
        Event().wait()


class Adding:
    name = 'adding'

    @rpc
    def add(self, a, b):
        return a + b


class Contacts:
    name = 'contacts'
    salesforce = SalesforceAPI()

    @handle_sobject_notification('Contact')
    def handle(self, sobject_type, record_type, notification):
        contact = self.salesforce.Contact.get(notification['sobject']['Id'])
        log.info('handled %s', contact['LastName'])


class Printing:
    """Works on each event until the file exists that the event names."""

    name = 'printing'

    @handle_platform_event('Low_Ink__e', order=None)
    def handle(self, name, event):
        gate = Path(event.payload['Printer_Model__c'])
        log.info('begun %s', gate.name)
        while not gate.exists():
            eventlet.sleep(0.02)
        log.info('done %s', gate.name)


class Contradicting:
    name = 'contradicting'

    @handle_sobject_notification('Contact')
    @handle_sobject_notification('Contact', exclude_current_user=False)
    def handle(self, sobject_type, record_type, notification):
        log.info('handled')
