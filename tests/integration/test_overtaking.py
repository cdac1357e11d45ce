"""New events that come by the poll before the answer to the subscribe that replays what was before them."""

import eventlet

from nameko_salesforce.streaming import handle_platform_event
from tests.integration.test_positions import Store, publish

CHANNEL = '/event/Low_Ink__e'


def service():
    handled = []

    class Service:
        name = 'service'

        @handle_platform_event('Low_Ink__e', key=lambda data: 'the printer')
        def handle(self, name, event):
            number = int(event.payload['Printer_Model__c'])
            handled.append(number)

    return Service, handled


def start_with_a_late_answer(org, kind, uri, *missed):
    """Start a service that has missed events; the answer to its subscribe is late, the poll brings 3.

    The subscribe is refused at first, so that the poll does not wait for it.
    """
    publish(org, *missed)
    org.server.configure(deny_subscribe={CHANNEL: '500::Something is wrong'})
    mark = org.server.mark()
    running = org.make(kind, REPLAY_STORE_URI=uri).start()
    org.server.wait_for('held', after=mark)
    org.server.faults.add('delay', channel='/meta/subscribe', count=None, seconds=1.0)
    org.server.configure(deny_subscribe={})
    org.server.wait_for('reply', channel='/meta/subscribe', after=mark, successful=True)
    publish(org, 3)
    return running


def test_what_was_missed_is_handled_before_a_new_event_of_its_record(org, tmp_path):
    uri = f'sqlite:///{tmp_path / "positions.db"}'
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=uri).end('stop')
    start_with_a_late_answer(org, kind, uri, 1, 2)
    org.until('all three', lambda: len(handled) == 3)
    assert handled == [1, 2, 3]
    publish(org, 4)
    store = Store(org, uri)
    last = org.server.retained(CHANNEL)[-1]['event']['replayId']
    org.until('the last position', lambda: store.id() == last)


def test_a_kill_before_the_late_answer_loses_nothing(org, tmp_path):
    uri = f'sqlite:///{tmp_path / "positions.db"}'
    kind, handled = service()
    org.run(kind, REPLAY_STORE_URI=uri).end('stop')
    running = start_with_a_late_answer(org, kind, uri, 1, 2)
    eventlet.sleep(0.5)  # whatever is done with the new one is done by now; the answer is not there yet
    running.end('kill')
    org.server.faults.clear()
    org.run(kind, REPLAY_STORE_URI=uri)
    org.until('all three', lambda: len(set(handled)) == 3)
    publish(org, 4)
    org.until('a new one', lambda: 4 in handled)
