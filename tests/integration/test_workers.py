"""workers.py against real containers: slots come back, and how a worker ended is told, whatever it does."""

import time

import eventlet
import pytest
from eventlet.event import Event
from greenlet import GreenletExit
from nameko.extensions import DependencyProvider, Entrypoint
from nameko.testing.utils import get_extension

from nameko_salesforce.bayeux import subscribe
from nameko_salesforce.bayeux.extension import Subscribe
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.bayeux.workers import HandlerTimedOut, Workers
from nameko_salesforce.streaming import handle_platform_event
from tests.integration.printers import publish


def test_a_container_that_is_being_killed_gets_no_work_and_no_complaint(world, monkeypatch):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)

    container = world.make(Service).container
    entrypoint = get_extension(container, Subscribe)
    workers = Workers(container, slots=1)
    with monkeypatch.context() as patch, world.bounded():
        # As between the first step of kill() and that of our entrypoint.
        patch.setattr(container, '_being_killed', True)
        workers.spawn(entrypoint, ('/a', 1), {})
        workers.spawn(entrypoint, ('/a', 2), {})
    assert seen == []


def test_a_service_that_cannot_be_made_costs_its_event_and_no_slot(world, server, log):
    log.expect_error('callback .* failed')
    seen = []
    failures = iter([ZeroDivisionError('no service today')])

    class Service:
        name = 'chat'

        def __init__(self):
            for failure in failures:
                raise failure

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)

    world.run(Service, max_workers=1)
    server.publish_many([('/a', 1), ('/a', 2)])
    world.until('the second event', lambda: seen)
    assert seen == [2]


# --- how a worker ended ---------------------------------------------------------------------------

TICK = 0.05  # seconds; the shortest timeout that a busy machine keeps


class Called(Entrypoint):
    """Runs when the test says so."""


class Watch(DependencyProvider):
    """Notes what the worker's dependencies see, and can be slow in it."""

    def __init__(self):
        self.seen = []
        self.slow = None

    def _note(self, what):
        if self.slow == what:
            eventlet.sleep(3 * TICK)
        self.seen.append(what)

    def worker_setup(self, worker_ctx):
        self._note('setup')

    def worker_result(self, worker_ctx, result=None, exc_info=None):
        self._note('result')

    def worker_teardown(self, worker_ctx):
        self._note('teardown')


class Service:
    name = 'service'
    watch = Watch()

    @Called.decorator
    def handle(self, act):
        return act()


class Stage:
    """A container, workers of it, and the outcomes that were told."""

    def __init__(self, container, slots):
        self.container = container
        self.entrypoint = get_extension(container, Called)
        self.watch = get_extension(container, Watch)
        self.workers = Workers(container, slots)
        self.outcomes = []

    def spawn(self, act, **options):
        return self.workers.spawn(self.entrypoint, (act,), {}, **{'ended': self.outcomes.append, **options})

    def begin(self, act, **options):
        """The same in a green thread of its own, which may have to wait."""
        return eventlet.spawn(self.spawn, act, **options)

    def free(self):
        """Fails the test where no slot is free."""
        with eventlet.Timeout(5, AssertionError('a slot was not given back')):
            self.workers.wait_for_slot()

    def over(self):
        """All workers have ended."""
        return not self.container._worker_threads


@pytest.fixture
def stage(container_factory):
    def make(*, max_workers=10, slots=1):
        container = container_factory(Service, {'max_workers': max_workers})
        container.start()
        return Stage(container, slots)

    return make


@pytest.fixture
def until():
    def wait(what, condition):
        with eventlet.Timeout(10, AssertionError(f'waited 10 s for {what}')):
            while not condition():
                eventlet.sleep(0.002)

    return wait


def raiser(error):
    def act():
        raise error

    return act


def test_a_handler_that_returns_has_handled_its_event(stage, until):
    stage = stage()
    assert stage.spawn(lambda: None)
    until('the end', stage.over)
    assert stage.outcomes == [Ended.HANDLED]
    stage.free()


def test_a_handler_that_raises_has_failed_with_that_error(stage, until, log):
    log.expect_error('error handling worker')
    stage = stage()
    error = ValueError('no')
    stage.spawn(raiser(error))
    until('the end', stage.over)
    [outcome] = stage.outcomes
    assert isinstance(outcome, Failed)
    assert outcome.error is error
    stage.free()


@pytest.mark.parametrize('error', [eventlet.Timeout(None), GreenletExit()], ids=['Timeout', 'GreenletExit'])
def test_a_worker_that_ends_without_a_result_is_lost_and_told_once(stage, until, error):
    stage = stage()
    stage.spawn(raiser(error))
    until('the end', stage.over)
    assert stage.outcomes == []
    stage.workers.reap()
    stage.workers.reap()
    assert stage.outcomes == [Ended.LOST]
    stage.free()


def test_a_worker_that_was_killed_before_it_began_is_lost(stage, until):
    stage = stage()
    stage.spawn(lambda: None)
    [thread] = stage.container._worker_threads.values()
    thread.kill()
    until('the end', stage.over)
    stage.workers.reap()
    assert stage.outcomes == [Ended.LOST]
    stage.free()


def test_a_worker_of_a_container_that_is_being_killed_did_not_run(stage, monkeypatch):
    stage = stage()
    with monkeypatch.context() as patch:
        patch.setattr(stage.container, '_being_killed', True)
        assert not stage.spawn(lambda: None)
    assert stage.outcomes == [Ended.NOT_RUN]
    stage.free()


@pytest.mark.parametrize('slots', [1, 2], ids=['for a slot', 'for the pool'])
def test_a_worker_whose_wait_was_killed_did_not_run(stage, until, slots):
    stage = stage(max_workers=1, slots=slots)
    gate = Event()
    stage.spawn(gate.wait)
    waiting = stage.begin(lambda: None)
    eventlet.sleep(0)
    waiting.kill()
    assert stage.outcomes == [Ended.NOT_RUN]
    gate.send()
    until('the end of the first', stage.over)
    assert stage.outcomes == [Ended.NOT_RUN, Ended.HANDLED]
    stage.free()


def test_a_service_that_cannot_be_made_is_a_failed_attempt(stage, log, monkeypatch):
    log.expect_error('no worker could be made')
    stage = stage()
    error = ZeroDivisionError('no service today')
    monkeypatch.setattr(stage.container, 'service_cls', raiser(error))
    assert stage.spawn(lambda: None)
    assert stage.outcomes == [Failed(error)]
    stage.free()


def test_an_end_that_cannot_be_told_ends_neither_the_worker_nor_the_service(stage, until, log):
    log.expect_error('the end of a handler could not be told')
    stage = stage()

    def ended(outcome):
        stage.outcomes.append(outcome)
        raise ZeroDivisionError

    for _ in range(2):
        stage.spawn(lambda: None, ended=ended)
        until('the end', stage.over)
    assert stage.outcomes == [Ended.HANDLED] * 2
    assert stage.watch.seen == ['setup', 'result', 'teardown'] * 2


# --- timeouts -------------------------------------------------------------------------------------


def test_a_handler_that_takes_too_long_is_interrupted_and_its_dependencies_are_torn_down(stage, until, log):
    log.expect_error('error handling worker .* handle\\(\\) took longer than 0.05 s')
    stage = stage()
    stage.spawn(Event().wait, timeout=TICK)
    until('the end', stage.over)
    assert stage.outcomes == [Ended.TIMED_OUT]
    assert stage.watch.seen == ['setup', 'result', 'teardown']
    stage.free()


def test_what_a_handler_sees_of_its_timeout_is_an_exception_that_it_can_clean_up_after(stage, until, log):
    log.expect_error('error handling worker')
    stage = stage()
    seen = []

    def act():
        try:
            Event().wait()
        except Exception as error:
            seen.append(type(error))
            raise

    stage.spawn(act, timeout=TICK)
    until('the end', stage.over)
    assert seen == [HandlerTimedOut]


def test_a_handler_that_swallows_its_timeout_has_timed_out_all_the_same(stage, until):
    stage = stage()

    def act():
        try:
            Event().wait()
        except Exception:
            return 'all is well'

    stage.spawn(act, timeout=TICK)
    until('the end', stage.over)
    assert stage.outcomes == [Ended.TIMED_OUT]


def test_a_handler_that_answers_its_timeout_with_an_end_of_its_own_has_timed_out(stage, until):
    stage = stage()

    def act():
        try:
            Event().wait()
        except Exception:
            raise GreenletExit from None

    stage.spawn(act, timeout=TICK)
    until('the end', stage.over)
    stage.workers.reap()
    assert stage.outcomes == [Ended.TIMED_OUT]


@pytest.mark.parametrize('where', ['setup', 'result', 'teardown'])
def test_the_time_of_dependencies_is_not_the_handlers(stage, until, where):
    stage = stage()
    stage.watch.slow = where
    begun = time.monotonic()
    stage.spawn(lambda: None, timeout=TICK)
    until('the end', stage.over)
    assert time.monotonic() - begun >= 3 * TICK
    assert stage.outcomes == [Ended.HANDLED]
    assert stage.watch.seen == ['setup', 'result', 'teardown']


def test_a_timeout_ends_with_its_handler(stage, until):
    stage = stage(slots=2)
    stage.spawn(lambda: None, timeout=TICK)
    until('the end', stage.over)
    stage.spawn(lambda: eventlet.sleep(3 * TICK))
    until('the end of one that has no timeout', stage.over)
    assert stage.outcomes == [Ended.HANDLED] * 2


def test_each_worker_has_a_timeout_of_its_own(stage, until, log):
    log.expect_error('error handling worker')
    stage = stage(slots=2)
    stage.spawn(Event().wait, timeout=TICK)
    stage.spawn(lambda: eventlet.sleep(3 * TICK), timeout=100 * TICK)
    until('the end of both', stage.over)
    assert stage.outcomes == [Ended.TIMED_OUT, Ended.HANDLED]


def test_a_service_with_slots_runs_without_its_timeout_and_says_so(org, log):
    handled = []

    class Rigid:
        __slots__ = ()
        name = 'rigid'

        @handle_platform_event('Low_Ink__e', timeout=5)
        def handle(self, name, event):
            handled.append(event.payload['Printer_Model__c'])

    org.run(Rigid)
    publish(org, 1)
    org.until('the event', lambda: handled == ['1'])
    assert log.lines('runs without its timeout')
