"""How a service ends: by stop and by kill, at every moment, within its bound, and with nothing left over."""

import logging
import time

import eventlet
import pytest
from eventlet.event import Event
from nameko.exceptions import ConfigurationError
from nameko.extensions import DependencyProvider
from nameko.testing.services import once

from nameko_salesforce.bayeux import Client, State, subscribe
from nameko_salesforce.bayeux.extension import BayeuxConnection, Subscribe

ENDINGS = pytest.mark.parametrize('ending', ['stop', 'kill'])


class Service:
    name = 'chat'

    @subscribe('/a')
    def handle(self, channel, data): ...


class NeverPrepared:
    def prepare(self, *, login):
        Event().wait()

    def prepare_channel(self, channel, *, refusal): ...


class UnpreparedConnection(BayeuxConnection):
    def make_client(self, settings):
        return Client(settings.server_uri, spawn=self.spawn, preparation=NeverPrepared())


class UnpreparedSubscribe(Subscribe):
    connection = UnpreparedConnection()


class UnpreparedService:
    name = 'chat'

    @UnpreparedSubscribe.decorator('/a')
    def handle(self, channel, data): ...


def preparing(world):
    return world.make(UnpreparedService).start()


def handshaking(world):
    world.server.faults.add('never', channel='/meta/handshake', processed=False)
    running = world.make(Service).start()
    world.server.wait_for('fault')
    return running


def connecting(world):
    world.server.faults.add('never', channel='/meta/connect', processed=False)
    running = world.make(Service).start()
    world.server.wait_for('fault')
    return running


def connected(world):
    running = world.run(Service)
    world.server.wait_for('held')
    return running


def reconnecting(world):
    world.server.faults.add('status', channel='/meta/connect', nth=2, retry_after=60)
    return world.make(Service).start()


def pausing(world):
    world.server.faults.add('status', channel='/meta/handshake', retry_after=60)
    return world.make(Service).start()


def disconnecting(world):
    running = connected(world)
    world.server.faults.add('never', channel='/meta/disconnect', processed=False)
    eventlet.spawn(running.container.stop)
    return running


def halted(world):
    world.server.configure(deny_handshake=True, deny_handshake_reconnect='none')
    world.log.expect_error('-> HALTED: given up: the server advised to stop')
    return world.make(Service).start()


@ENDINGS
@pytest.mark.parametrize(
    'state',
    [
        preparing,
        handshaking,
        connecting,
        connected,
        reconnecting,
        pausing,
        disconnecting,
        halted,
    ],
    ids=lambda each: each.__name__,
)
def test_a_service_ends_in_every_state_of_its_client_and_leaves_nothing(world, state, ending):
    running = state(world)
    world.until(f'the client to be {state.__name__}', lambda: running.client.state.value == state.__name__)
    running.end(ending)
    world.nothing_left(running)


@ENDINGS
def test_a_service_ends_before_it_was_started(world, ending):
    running = world.make(Service)
    running.end(ending)
    world.nothing_left(running)


@ENDINGS
def test_a_service_ends_twice(world, ending):
    running = connected(world)
    running.end(ending)
    running.end(ending)
    world.nothing_left(running)


def test_two_stops_at_a_time_end_the_service_once(world, server):
    running = connected(world)
    stops = [eventlet.spawn(running.container.stop) for _ in range(2)]
    with world.bounded():
        running.container.wait()
        outcomes = []
        for stop in stops:
            try:
                outcomes.append(stop.wait())
            except AssertionError as nameko:  # two stops race to send the container's own event
                outcomes.append(type(nameko))
    assert None in outcomes
    world.nothing_left(running)
    assert len(server.journal('request', channel='/meta/disconnect')) == 1


def test_a_kill_overtakes_a_stop_that_waits_for_the_server(world, server):
    server.faults.add('never', channel='/meta/disconnect', processed=False)
    running = world.run(Service, DISCONNECT_TIMEOUT=60)
    stop = eventlet.spawn(running.container.stop)
    server.wait_for('fault')
    running.end('kill')
    with world.bounded():
        stop.wait()
    world.nothing_left(running)


def test_a_kill_overtakes_a_stop_that_waits_for_a_worker(world, server, gate):
    class Slow:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            gate.wait()

    running = world.run(Slow)
    server.publish('/a', 1)
    world.until('the worker', lambda: gate.begun == 1)
    stop = eventlet.spawn(running.container.stop)
    server.wait_for('closed', why='disconnect')
    running.end('kill')
    with world.bounded():
        stop.wait()
    world.nothing_left(running)


@pytest.mark.defect('D9')
@pytest.mark.parametrize('fault', ['never', 'drop_before', 'reset', 'garbage', 'status', 'html', 'empty'])
def test_a_stop_is_bounded_when_the_goodbye_meets(world, server, fault):
    running = connected(world)
    server.faults.add(fault, channel='/meta/disconnect', processed=False, count=None)
    running.end('stop')
    world.nothing_left(running)


@pytest.mark.defect('D9')
def test_a_stop_is_bounded_when_the_server_is_gone(world, server):
    running = connected(world)
    server.kill()
    running.end('stop')
    world.nothing_left(running)


def test_a_stop_ends_the_session_at_the_server(world, server):
    running = connected(world)
    running.end('stop')
    assert server.sessions() == []
    assert [each.detail['why'] for each in server.journal('closed')] == ['disconnect']


@pytest.mark.defect('D10')
def test_an_event_that_arrives_during_a_stop_is_not_dispatched(world, server, log, caplog, gate):
    caplog.set_level(logging.DEBUG, 'nameko_salesforce.bayeux')
    seen = []

    class Slow:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)
            gate.wait()

    running = world.run(Slow, DISCONNECT_TIMEOUT=1)
    server.publish('/a', 'before')
    world.until('the first event', lambda: seen)
    # The goodbye is never answered, so that the session is there to be given an event during the stop.
    server.faults.add('never', channel='/meta/disconnect', processed=False)
    stop = eventlet.spawn(running.container.stop)
    server.wait_for('fault')
    assert server.publish('/a', 'during') == 1
    world.until('the event to arrive', lambda: log.lines('< exchange .*during', logging.DEBUG))
    gate.open()
    with world.bounded():
        stop.wait()
    assert seen == ['before']
    world.nothing_left(running)


@ENDINGS
def test_no_event_is_taken_out_of_the_queue_once_a_service_ends(world, server, gate, ending):
    seen = []

    class Slow:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)
            gate.wait()

    running = world.run(Slow, max_workers=2)
    server.publish_many([('/a', number) for number in range(5)])
    world.until('the first event', lambda: seen)
    end = eventlet.spawn(running.end, ending)
    server.wait_for('closed' if ending == 'stop' else 'gone')
    gate.open()
    end.wait()
    assert seen == [0]
    world.nothing_left(running)


@ENDINGS
def test_a_service_ends_while_an_event_waits_for_a_full_pool(world, server, gate, ending):
    seen = []

    class Busy:
        name = 'chat'

        @once
        def other(self):
            gate.wait()

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)

    running = world.run(Busy, max_workers=1)
    server.publish('/a', 1)
    world.until('the intake to wait for the pool', lambda: running.container._worker_pool.waiting() == 1)
    end = eventlet.spawn(running.end, ending)
    server.wait_for('closed' if ending == 'stop' else 'gone')
    gate.open()
    end.wait()
    assert seen == []
    world.nothing_left(running)


@ENDINGS
def test_a_service_that_ends_before_its_start_is_through_connects_nothing(world, server, ending):
    begun, release = Event(), Event()

    class SlowToStart(DependencyProvider):
        def setup(self):
            begun.send()
            release.wait()

    class Late(Service):
        slow = SlowToStart()

    running = world.make(Late)
    start = eventlet.spawn(running.container.start)
    begun.wait()
    assert running.client.state is State.IDLE
    running.end(ending)
    release.send()
    start.wait()
    world.nothing_left(running)
    assert server.journal('request') == []


def test_a_failing_extension_ends_the_service_with_its_error_and_no_worker_starts(world, server, log, gate):
    log.expect_error('thread exited with error')
    seen = []
    fail = Event()

    class Doomed(DependencyProvider):
        def start(self):
            self.container.spawn_managed_thread(fail.wait)

    class Peer:
        name = 'chat'
        doomed = Doomed()

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)
            gate.wait()

    running = world.run(Peer, max_workers=1)
    server.publish_many([('/a', 1), ('/a', 2)])
    world.until('the first event', lambda: seen)
    fail.send_exception(LookupError('the peer died'))
    with world.bounded(), pytest.raises(LookupError, match='the peer died'):
        running.container.wait()
    gate.open()
    assert seen == [1]
    world.nothing_left(running)


def test_a_full_mailbox_does_not_hold_up_a_stop(world, server, log, gate):
    class Slow:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            gate.wait()

    # The server's answer to the goodbye is what ends the stop in time.
    running = world.run(Slow, max_workers=2, MAILBOX_LIMIT=3, DISCONNECT_TIMEOUT=60)
    server.publish_many([('/a', number) for number in range(20)])
    world.until('the first event', lambda: gate.begun)
    server.wait_for('event', channel='/a', count=20)
    end = eventlet.spawn(running.end, 'stop')
    world.until('the goodbye to be answered', lambda: log.lines('DISCONNECTING -> HALTED'))
    gate.open()
    end.wait()
    world.nothing_left(running)


@pytest.mark.parametrize('error', [ZeroDivisionError('a bug'), eventlet.Timeout()], ids=['error', 'timeout'])
def test_a_thread_that_fails_ends_the_service_instead_of_deafening_it(world, log, error):
    log.expect_error('thread exited with error')
    running = connected(world)

    def fail():
        raise error

    running.connection.spawn(fail)
    with world.bounded(), pytest.raises((ZeroDivisionError, RuntimeError)):
        running.container.wait()
    world.nothing_left(running)


def test_a_failing_driver_ends_the_service_though_the_end_begins_in_its_own_thread(world, server, log):
    log.expect_error('failed from within')
    log.expect_error('the client of chat did not end in order')
    log.expect_error('thread exited with error')
    stopped = Event()

    def clock():
        if stopped.ready():
            raise ZeroDivisionError('the clock has stopped')
        return time.monotonic()

    class Connection(BayeuxConnection):
        def make_client(self, settings):
            return Client(settings.server_uri, spawn=self.spawn, clock=clock)

    class ItsSubscribe(Subscribe):
        connection = Connection()

    class ItsService:
        name = 'chat'

        @ItsSubscribe.decorator('/a')
        def handle(self, channel, data): ...

    running = world.run(ItsService)
    stopped.send()
    server.publish('/a', 1)
    with world.bounded(), pytest.raises(ZeroDivisionError, match='the clock has stopped'):
        running.container.wait()
    world.nothing_left(running)


def test_a_wrong_configuration_keeps_the_service_from_starting_and_is_said_aloud(world, log):
    log.expect_error('chat cannot start.*SERVER_URI.*CONECT_TIMEOUT')
    running = world.make(Service, SERVER_URI=None, CONECT_TIMEOUT=3)
    with pytest.raises(ConfigurationError, match='SERVER_URI is empty.*CONECT_TIMEOUT is not known'):
        running.container.start()
