"""How a service that keeps positions ends: at every moment, within its bound, and with nothing lost."""

import eventlet
import pytest
from nameko.testing.services import once

from nameko_salesforce.streaming import handle_platform_event
from tests.integration.printers import CHANNEL, Store, ids, publish, service

ENDINGS = pytest.mark.parametrize('ending', ['stop', 'kill'])


@pytest.fixture
def uri(tmp_path):
    return f'sqlite:///{tmp_path / "positions.db"}'


def begun(org, ending):
    """Wait until the end is under way."""
    if ending == 'stop':
        org.server.wait_for('closed')
    else:
        org.until('the kill', lambda: org.log.lines('killing <ServiceContainer'))


@pytest.mark.defect('D10')
def test_what_a_stop_finds_under_way_is_finished_and_kept_and_nothing_else_begun(org, uri, gate):
    kind, handled = service(lambda number: gate.wait(), order=None)
    running = org.run(kind, REPLAY_STORE_URI=uri, max_workers=3)
    publish(org, 1, 2, 3, 4)
    org.until('two under way', lambda: gate.begun == 2)
    end = eventlet.spawn(running.end, 'stop')
    org.server.wait_for('closed')
    gate.open()
    end.wait()
    org.nothing_left(running)
    assert sorted(handled) == [1, 2]
    assert Store(org, uri).id() == ids(org)[1]
    org.run(kind, REPLAY_STORE_URI=uri)
    org.until('the others', lambda: sorted(handled) == [1, 2, 3, 4])


@ENDINGS
def test_an_end_while_the_runner_waits_for_a_full_pool_loses_nothing(org, uri, gate, ending):
    handled = []

    class Busy:
        name = 'service'

        @once
        def other(self):
            gate.wait()

        @handle_platform_event('Low_Ink__e')
        def handle(self, name, event):
            handled.append(int(event.payload['Printer_Model__c']))

    running = org.run(Busy, REPLAY_STORE_URI=uri, max_workers=1)
    publish(org, 1, 2)
    org.until('the runner to wait for the pool', lambda: running.container._worker_pool.waiting() == 1)
    end = eventlet.spawn(running.end, ending)
    begun(org, ending)
    gate.open()
    end.wait()
    org.nothing_left(running)
    assert handled == []
    org.run(Busy, REPLAY_STORE_URI=uri)
    org.until('both', lambda: handled == [1, 2])


@ENDINGS
def test_an_end_while_events_wait_for_room_loses_nothing(org, uri, gate, ending):
    kind, handled = service(lambda number: gate.wait(), order='channel')
    running = org.run(kind, REPLAY_STORE_URI=uri, MAILBOX_LIMIT=2)
    publish(org, *range(12))
    org.until('it to be full', lambda: running.connection.runner.unfinished == 4)
    end = eventlet.spawn(running.end, ending)
    begun(org, ending)
    gate.open()
    end.wait()
    org.nothing_left(running)
    org.run(kind, REPLAY_STORE_URI=uri, MAILBOX_LIMIT=2)
    org.until('all', lambda: set(handled) == set(range(12)))


@ENDINGS
def test_an_end_is_bounded_while_the_store_does_not_answer(org, own_redis, ending):
    kind, handled = service()
    running = org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    publish(org, 1)
    store = Store(org, own_redis.uri)
    org.until('the position', lambda: store.id() == ids(org)[0])
    own_redis.freeze()
    publish(org, 2)
    org.until('the second', lambda: handled == [1, 2])
    running.end(ending)
    org.nothing_left(running)
    own_redis.thaw()
    assert len(org.log.lines('could not be saved in time')) == (ending == 'stop')
    publish(org, 3)
    org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    org.until('the third', lambda: handled[-1] == 3)
    # What the frozen server had been sent it may have done on waking.
    assert handled in ([1, 2, 3], [1, 2, 2, 3])


@ENDINGS
def test_an_end_before_a_dead_letter_is_kept_brings_its_event_again(org, own_redis, ending):
    org.log.expect_error('error handling worker')
    org.log.expect_error('failed with event .* for good')
    broken = [True]
    begun = []

    def handle(number):
        begun.append(number)
        if broken:
            raise ValueError('no')

    kind, handled = service(handle, attempts=1)
    running = org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    org.until('the mark', lambda: Store(org, own_redis.uri).position())
    own_redis.end()
    publish(org, 1)
    org.until('the letter to wait', lambda: running.connection.runner.letters.waiting)
    running.end(ending)
    org.nothing_left(running)
    own_redis.start()
    broken.clear()
    org.run(kind, REPLAY_STORE_URI=own_redis.uri)
    org.until('the event', lambda: handled == [1])
    assert begun == [1, 1]


@ENDINGS
def test_an_end_during_the_first_look_at_the_store_is_clean(org, own_redis, ending):
    own_redis.freeze()
    kind, _ = service()
    running = org.make(kind, REPLAY_STORE_URI=own_redis.uri).start()
    org.until('the look', lambda: running.connection.positions.store is not None)
    running.end(ending)
    org.nothing_left(running)
    own_redis.thaw()


def test_a_stop_and_a_start_of_another_container_share_nothing(org, uri):
    kind, handled = service()
    for number in range(3):
        running = org.run(kind, REPLAY_STORE_URI=uri)
        publish(org, number)
        org.until('the event', lambda number=number: number in handled)
        running.end('stop')
        org.nothing_left(running)
    assert handled == [0, 1, 2]
    assert Store(org, uri).id(CHANNEL) == ids(org)[-1]
