"""From the stream to the workers and back: whose turn it is, when there is enough, and every kind of end."""

import logging

import eventlet
import pytest
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Deliver, Lane, PollAnswered, PollLost
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended
from nameko_salesforce.bayeux.workers import Workers
from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.positions import Positions
from nameko_salesforce.streaming.resume import Rules
from nameko_salesforce.streaming.retry import OnFailure, Retry
from nameko_salesforce.streaming.runner import Runner

HOUR = 3600.0


class Entrypoint:
    method_name = 'handle'


class Container:
    """The seam to Nameko: runs a handler of the test in a green thread, as a container would."""

    def __init__(self):
        self.being_killed = False
        self.asked = 0
        self.pool = None  # where it is full: an event that says that there is room
        self._worker_threads = {}

    def spawn_worker(self, entrypoint, args, kwargs, context_data=None, handle_result=None):
        self.asked += 1
        if self.pool is not None:
            self.pool.wait()
        if self.being_killed:
            raise ContainerBeingKilled
        worker_ctx = object()
        handler, events = args

        def run():
            try:
                result, exc_info = handler(events), None
            except Exception as error:
                result, exc_info = None, (type(error), error, None)
            handle_result(worker_ctx, result, exc_info)

        self._worker_threads[worker_ctx] = eventlet.spawn(run)
        return worker_ctx


class Stage:
    """A runner with channels, and what it asked for."""

    def __init__(self, channels, slots, limit):
        self.log = []
        self.store = MemoryStore()
        self.container = Container()
        self.workers = Workers(self.container, slots)
        self.positions = Positions(lambda organization: self.store, eventlet.spawn)
        self.positions.open('00D000000000001AAA')
        self.handlers = {}
        self.stopped = []
        self.resumed = []
        self.channels = {each.name: each for each in channels}
        self.runner = Runner(
            channels,
            self.workers,
            lambda channel, run: (Entrypoint, (self.handlers[channel.name], list(run.events)), {}),
            brake=lambda: self.log.append('brake'),
            release=lambda: self.log.append('release'),
            positions=self.positions,
            subscribe=self.resumed.append,
            unsubscribe=self.stopped.append,
            limit=limit,
            characters=10_000,
        )
        self.takers = {each.name: self.runner.taker(each) for each in channels}
        self.numbers = 0

    def events(self, channel, count, *, poll=None, lane=None, characters=0, data=None):
        """As the client brings them: the follower first, then the callback."""
        deliveries = []
        for _ in range(count):
            self.numbers += 1
            found = {'event': {'replayId': self.numbers}, **(data or {})}
            deliveries.append(Delivery(channel, found))
        lane = lane or (Lane.POLL if poll is None else Lane.COMMAND)
        self.runner.follow(Deliver(lane, deliveries, characters, poll))
        self.takers[channel](deliveries)
        return [each.data['event']['replayId'] for each in deliveries]

    def position(self, channel='/event/A__e'):
        found = self.store.load(channel)
        return None if found is None else found.replay_id


@pytest.fixture
def stage(until):
    """`stage({'/event/A__e': options}, slots=, limit=)`; ended when the test is over."""
    stages = []

    def make(handlers=None, *, slots=9, limit=1000, start=True):
        handlers = handlers or {'/event/A__e': {}}
        channels = []
        for name, options in handlers.items():
            rules = Rules(channel=name, retention=72 * HOUR, greatest_age=72 * HOUR)
            channel = Channel(
                rules, {'handle': Entrypoint}, [HandlerOptions(name='handle', **options)], lambda: 0.0
            )
            channels.append(channel)
        made = Stage(channels, slots, limit)
        stages.append(made)
        if start:
            made.runner.start()
        return made

    yield make
    for each in stages:
        each.runner.kill()


@pytest.fixture
def until():
    def wait(what, condition):
        with eventlet.Timeout(10, AssertionError(f'waited 10 s for {what}')):
            while not condition():
                eventlet.sleep(0.002)

    return wait


def recording(handled, gate=None):
    def handle(events):
        if gate is not None:
            gate.wait()
        handled.extend(each.data['event']['replayId'] for each in events)

    return handle


def failing(events):
    raise ValueError('no')


# --- the way of an event ----------------------------------------------------------------------------


def test_an_event_is_handled_and_its_position_kept(stage, until):
    world = stage()
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 3)
    until('all', lambda: handled == [1, 2, 3])
    until('the position', lambda: world.position() == 3)
    assert world.runner.unfinished == 0


def test_an_event_without_an_id_is_handled_and_names_no_position(stage, until):
    world = stage()
    handled = []
    world.handlers['/event/A__e'] = lambda events: handled.extend(each.data for each in events)
    world.takers['/event/A__e']([Delivery('/event/A__e', {'payload': {}})])
    until('the event', lambda: handled)
    assert world.position() is None
    assert world.runner.unfinished == 0


def test_no_channel_waits_for_another_one_that_has_more(stage, until):
    world = stage(
        {'/event/A__e': {'order': Order.NONE}, '/event/B__e': {'order': Order.NONE}}, slots=1, start=False
    )
    order = []
    world.handlers['/event/A__e'] = lambda events: order.append('A')
    world.handlers['/event/B__e'] = lambda events: order.append('B')
    world.events('/event/A__e', 4)
    world.events('/event/B__e', 2)
    world.runner.start()
    until('all', lambda: len(order) == 6)
    assert order == ['A', 'B', 'A', 'B', 'A', 'A']


def test_no_more_workers_run_than_there_are_slots(stage, until):
    world = stage({'/event/A__e': {'order': Order.NONE}}, slots=2)
    gate, begun = Event(), []

    def handle(events):
        begun.append(1)
        gate.wait()

    world.handlers['/event/A__e'] = handle
    world.events('/event/A__e', 5)
    until('two', lambda: len(begun) == 2)
    eventlet.sleep(0)
    eventlet.sleep(0)
    assert world.container.asked == 2
    gate.send()
    until('all', lambda: len(begun) == 5)


def test_a_failed_event_is_tried_again_when_its_pause_is_over(stage, until):
    world = stage({'/event/A__e': {'retry': Retry(attempts=3, pauses=Backoff(first=0.02, cap=0.02))}})
    attempts = []

    def handle(events):
        attempts.append(events[0].data['event']['replayId'])
        if len(attempts) < 3:
            raise ValueError('no')

    world.handlers['/event/A__e'] = handle
    world.events('/event/A__e', 1)
    until('the position', lambda: world.position() == 1)
    assert attempts == [1, 1, 1]


def test_an_event_that_cannot_be_given_to_its_handler_is_a_failed_one(stage, until):
    world = stage({'/event/A__e': {'retry': Retry(attempts=1)}})
    world.events('/event/A__e', 1)  # the stage knows no handler for it
    until('the position', lambda: world.position() == 1)
    [letter] = world.store.dead_letters()
    assert letter.error_type == 'KeyError'


def test_the_end_of_a_run_is_taken_in_while_the_next_one_waits_for_the_pool(stage, until):
    world = stage()
    gate, handled = Event(), []
    world.handlers['/event/A__e'] = recording(handled, gate)
    world.events('/event/A__e', 1)
    until('the first', lambda: world.container.asked == 1)
    world.container.pool = Event()
    world.events('/event/A__e', 1)
    until('the second to wait', lambda: world.container.asked == 2)
    gate.send()
    until('the position of the first', lambda: world.position() == 1)
    world.container.pool.send()
    until('the position of the second', lambda: world.position() == 2)


def test_an_end_that_cannot_be_taken_in_costs_no_other(stage, until, monkeypatch, caplog):
    world = stage()
    gate, handled = Event(), []
    world.handlers['/event/A__e'] = recording(handled, gate)
    world.events('/event/A__e', 3)
    until('all', lambda: world.container.asked == 3)
    work = world.channels['/event/A__e'].work
    ended = work.ended

    def odd(run, *args):
        return 1 / 0 if run.events[0].data['event']['replayId'] == 2 else ended(run, *args)

    monkeypatch.setattr(work, 'ended', odd)
    gate.send()
    until('the others', lambda: world.runner.unfinished == 1)
    assert '/event/A__e: the end of a handler could not be told' in caplog.messages
    until('the position', lambda: world.position() == 1)


# --- beside a poll ----------------------------------------------------------------------------------


def test_what_comes_beside_a_poll_is_handled_at_once_and_kept_when_the_poll_is_answered(stage, until):
    world = stage()
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 2, poll=7)
    until('both', lambda: handled == [1, 2])
    world.positions.committer.flush(1.0)
    assert world.position() is None
    world.runner.follow(PollAnswered(7))
    until('the position', lambda: world.position() == 2)


def test_what_came_beside_a_lost_poll_is_not_passed(stage, until):
    world = stage()
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 1)
    until('the position', lambda: world.position() == 1)
    world.events('/event/A__e', 1, poll=7)
    world.runner.follow(PollLost(7, 'broke off'))
    until('both', lambda: handled == [1, 2])
    world.positions.committer.flush(1.0)
    assert world.position() == 1
    assert world.channels['/event/A__e'].work.received == 1


@pytest.mark.parametrize('lanes', [(Lane.POLL, Lane.COMMAND), (Lane.COMMAND, Lane.POLL)])
def test_what_came_on_both_lanes_is_kept_as_a_whole(stage, until, lanes):
    world = stage()
    handled, go_on = [], Event()

    def handle(events):
        [number] = [each.data['event']['replayId'] for each in events]
        if number == 2:
            go_on.wait()
        handled.append(number)

    world.handlers['/event/A__e'] = handle
    for lane in lanes:
        world.events('/event/A__e', 1, poll=7, lane=lane)
    world.runner.follow(PollAnswered(7))
    until('the first', lambda: handled == [1])
    world.positions.committer.flush(1.0)
    assert world.position() is None  # the other may come before it
    go_on.send()
    until('the position', lambda: world.position() == 2)


# --- enough -------------------------------------------------------------------------------------------


def test_the_client_is_braked_above_the_limit_and_released_below_half_of_it(stage, until):
    world = stage(limit=4, start=False)
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 4)
    assert world.log == []
    world.events('/event/A__e', 1)
    assert world.log == ['brake']
    world.runner.start()
    until('all', lambda: len(handled) == 5)
    assert world.log == ['brake', 'release']


def test_long_events_brake_as_many_do(stage):
    world = stage(limit=1000, start=False)
    world.events('/event/A__e', 2, characters=10_002)
    assert world.log == ['brake']


def test_at_twice_the_limit_events_wait_in_front_until_there_is_room(stage, until):
    world = stage(limit=2, start=False)
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    bringing = eventlet.spawn(world.events, '/event/A__e', 10)
    until('it to be full', lambda: world.runner.unfinished == 4)
    eventlet.sleep(0)
    assert world.runner.unfinished == 4
    world.runner.start()
    bringing.wait()
    until('all', lambda: handled == list(range(1, 11)))


def test_what_waited_behind_events_can_be_told_from_what_did_not(stage, until):
    world = stage({'/event/A__e': {'order': Order.CHANNEL}}, limit=1, slots=1)
    gate = Event()
    world.handlers['/event/A__e'] = recording([], gate)
    world.events('/event/A__e', 2)
    assert world.runner.lag == 0.0
    thread = eventlet.spawn(world.events, '/event/A__e', 1)
    until('it to be full', lambda: world.runner.unfinished == 2)
    eventlet.sleep(0.01)
    gate.send()
    thread.wait()
    assert 0.01 <= world.runner.lag < 1.0
    clock = world.runner._clock()
    world.runner._clock = lambda: clock + 1.0
    assert world.runner.lag == 0.0


def test_what_nothing_brings_again_is_dropped_with_a_word_where_there_is_no_room(stage, until, caplog):
    world = stage({'/systemTopic/Logging': {}}, limit=2, start=False)
    handled = []
    world.handlers['/systemTopic/Logging'] = recording(handled)
    world.events('/systemTopic/Logging', 7)
    assert world.runner.unfinished == 4
    assert world.runner.dropped == 3
    world.runner.start()
    until('the others', lambda: handled == [1, 2, 3, 4])
    said = '/systemTopic/Logging: 3 events were dropped, because there was no room'
    until('the word', lambda: said in caplog.messages)
    assert len([each for each in caplog.messages if 'there is no room' in each]) == 1


# --- stopped channels -----------------------------------------------------------------------------------


STOP = {'retry': Retry(attempts=1, on_failure=OnFailure.STOP)}


def test_a_stopped_channel_takes_no_room_from_the_others_and_no_events(stage, until):
    world = stage({'/event/A__e': STOP, '/event/B__e': {}}, limit=4, start=False)
    world.handlers['/event/A__e'] = failing
    handled = []
    world.handlers['/event/B__e'] = recording(handled)
    world.events('/event/A__e', 6)
    assert world.log == ['brake']
    world.runner.start()
    until('the stop', lambda: world.stopped == [world.channels['/event/A__e']])
    assert world.log == ['brake', 'release']
    world.events('/event/A__e', 5)
    assert world.channels['/event/A__e'].work.received == 6
    [number] = world.events('/event/B__e', 1)
    until('the other channel', lambda: handled == [number])
    assert world.position() is None


def test_a_stopped_channel_goes_on_with_the_event_that_failed(stage, until):
    world = stage({'/event/A__e': STOP})
    world.handlers['/event/A__e'] = failing
    world.events('/event/A__e', 3)
    channel = world.channels['/event/A__e']
    until('the stop', lambda: channel.halted)
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.runner.stops.gone(channel)
    assert world.resumed == []
    assert world.runner.stops.resume(channel)
    assert not world.runner.stops.resume(channel)
    assert world.resumed == [channel]
    until('all', lambda: sorted(handled) == [1, 2, 3])
    until('the position', lambda: world.position() == 3)
    assert world.runner.unfinished == 0


def test_a_stopped_channel_takes_nothing_before_its_old_subscription_is_gone(stage, until):
    """What it was not given while it was stopped would be passed by what comes after."""
    world = stage({'/event/A__e': STOP})
    world.handlers['/event/A__e'] = failing
    world.events('/event/A__e', 1)
    channel = world.channels['/event/A__e']
    until('the stop', lambda: channel.halted)
    world.events('/event/A__e', 1)
    assert world.runner.stops.resume(channel)
    world.events('/event/A__e', 1)
    assert (channel.work.received, world.resumed) == (1, [])
    world.runner.stops.gone(channel)
    assert world.resumed == [channel]
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.numbers = 1
    world.events('/event/A__e', 2)  # the new subscription brings them
    until('all', lambda: handled == [1, 2, 3])


def test_no_position_passes_what_a_stopped_channel_was_not_given_of_the_poll_beside_it(stage, until):
    world = stage({'/event/A__e': STOP})
    world.handlers['/event/A__e'] = failing
    world.events('/event/A__e', 1)
    world.numbers = 2
    world.events('/event/A__e', 1, poll=7)
    channel = world.channels['/event/A__e']
    until('the stop', lambda: channel.halted)
    world.numbers = 1
    world.events('/event/A__e', 1, poll=7, lane=Lane.POLL)  # it is dropped
    world.runner.follow(PollAnswered(7))
    assert channel.work.received == 1
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.runner.stops.resume(channel)
    world.runner.stops.gone(channel)
    world.numbers = 1
    world.events('/event/A__e', 2)  # the new subscription brings them
    until('all', lambda: sorted(handled) == [1, 2, 3])
    until('the position', lambda: world.position() == 3)


def test_a_channel_whose_event_cannot_be_taken_on_is_stopped_before_it(stage, until, monkeypatch):
    world = stage()
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 1)
    until('the first', lambda: handled == [1])
    channel = world.channels['/event/A__e']
    with monkeypatch.context() as patch:
        patch.setattr(channel.work, 'arrived', lambda *args, **kwargs: 1 / 0)
        world.events('/event/A__e', 1)
    assert world.stopped == [channel]
    assert 'ZeroDivisionError' in channel.halted
    world.events('/event/A__e', 1)
    assert channel.work.received == 1


def test_a_timeout_out_of_a_key_costs_no_event_its_handler(stage, until, caplog):
    def key(data):
        if data['event']['replayId'] == 2:
            raise eventlet.Timeout(None)  # one without a timer of its own

    world = stage({'/event/A__e': {'key': key}})
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 3)
    until('all', lambda: sorted(handled) == [1, 2, 3])
    until('the position', lambda: world.position() == 3)
    assert 'the key of handle() failed' in caplog.text


# --- dead letters ---------------------------------------------------------------------------------------


def test_a_position_passes_a_failed_event_when_its_letter_is_kept(stage, until, monkeypatch):
    world = stage({'/event/A__e': {'retry': Retry(attempts=1)}})
    world.handlers['/event/A__e'] = failing
    add, kept = world.store.add_dead_letter, Event()

    def late(letter):
        kept.wait()
        return add(letter)

    monkeypatch.setattr(world.store, 'add_dead_letter', late)
    world.events('/event/A__e', 1)
    until('the letter to be on its way', lambda: world.runner.letters.waiting)
    eventlet.sleep(0.02)
    assert world.position() is None
    kept.send()
    until('the position', lambda: world.position() == 1)
    assert world.store.count_dead_letters() == 1
    assert world.runner.unfinished == 0


@pytest.mark.parametrize('works', [True, False])
def test_a_past_event_is_run_once_more_and_moves_no_position(stage, until, works):
    world = stage({'/event/A__e': {'retry': Retry(attempts=1)}})
    handled = []
    world.handlers['/event/A__e'] = recording(handled) if works else failing
    channel = world.channels['/event/A__e']
    over = world.runner.again(channel, 'handle', Delivery('/event/A__e', {'event': {'replayId': 99}}))
    with eventlet.Timeout(10):
        assert over.wait() is works
    assert handled == ([99] if works else [])
    assert world.store.count_dead_letters() == (0 if works else 1)
    world.positions.committer.flush(1.0)
    assert world.position() is None
    assert world.runner.unfinished == 0


def test_a_past_event_that_stopped_its_handler_is_over_when_it_was_run_after_the_stop(stage, until):
    world = stage({'/event/A__e': STOP})
    world.handlers['/event/A__e'] = failing
    channel = world.channels['/event/A__e']
    over = world.runner.again(channel, 'handle', Delivery('/event/A__e', {'event': {'replayId': 99}}))
    until('the stop', lambda: channel.halted)
    assert not over.ready()
    world.handlers['/event/A__e'] = recording([])
    world.runner.stops.gone(channel)
    world.runner.stops.resume(channel)
    with eventlet.Timeout(10):
        assert over.wait() is True


# --- ends -------------------------------------------------------------------------------------------------


def test_nothing_is_begun_after_halt_and_what_runs_may_end(stage, until):
    world = stage(slots=1)
    gate, handled = Event(), []
    world.handlers['/event/A__e'] = recording(handled, gate)
    world.events('/event/A__e', 3)
    until('the first', lambda: world.container.asked == 1)
    world.runner.halt()
    world.runner.halt()
    gate.send()
    until('its position', lambda: world.position() == 1)
    assert handled == [1]
    assert world.container.asked == 1


def test_what_has_ended_before_halt_is_done(stage, until):
    world = stage()
    handled = []

    def handle(events):
        # Called between the end of this worker and the turn of the thread that starts them.
        eventlet.getcurrent().link(lambda thread: world.runner.halt())
        handled.append(events)

    world.handlers['/event/A__e'] = handle
    world.events('/event/A__e', 1)
    until('the event', lambda: handled)
    assert world.runner.unfinished == 0
    until('the position', lambda: world.position() == 1)


def test_a_log_that_gives_way_when_halt_comes_costs_no_letter_and_no_position(stage, until, request):
    failing_once = {'retry': Retry(attempts=1)}
    world = stage({'/event/A__e': failing_once, '/event/B__e': failing_once})
    gate = Event()

    def handle(events):
        gate.wait()
        raise ValueError('no')

    world.handlers = dict.fromkeys(world.channels, handle)

    class GivesWay(logging.Handler):
        def emit(self, record):
            if 'for good' in record.getMessage():
                eventlet.spawn(world.runner.halt)
                eventlet.sleep(0.01)

    gives_way = GivesWay()
    logger = logging.getLogger('nameko_salesforce')
    logger.addHandler(gives_way)
    request.addfinalizer(lambda: logger.removeHandler(gives_way))
    for channel in world.channels:
        world.events(channel, 2)
    until('the workers', lambda: world.container.asked == 4)
    gate.send()
    until('all to be done', lambda: world.runner.unfinished == 0)
    assert world.store.count_dead_letters() == 4
    until('the positions', lambda: [world.position(each) for each in world.channels] == [2, 4])


def test_halt_lets_go_whoever_brings_events_and_waits_for_room(stage, until):
    world = stage(limit=1, start=False)
    bringing = eventlet.spawn(world.events, '/event/A__e', 5)
    until('it to be full', lambda: world.runner.unfinished == 2)
    world.runner.halt()
    with eventlet.Timeout(10):
        bringing.wait()
    assert world.channels['/event/A__e'].work.received == 2


def test_a_container_that_is_being_killed_is_asked_once(stage, until):
    world = stage()
    world.handlers['/event/A__e'] = recording([])
    world.container.being_killed = True
    world.events('/event/A__e', 3)
    until('the question', lambda: world.container.asked)
    eventlet.sleep(0.01)
    assert world.container.asked == 1


def test_a_stop_keeps_what_the_last_workers_have_done(stage, until):
    world = stage()
    handled = []
    world.handlers['/event/A__e'] = recording(handled)
    world.events('/event/A__e', 3)
    until('all', lambda: len(handled) == 3)
    world.runner.stop(5.0)
    assert world.position() == 3


# --- another organization ---------------------------------------------------------------------------------


def test_what_was_under_way_is_forgotten_with_its_organization(stage, until):
    world = stage(slots=1)
    gate, handled = Event(), []
    world.handlers['/event/A__e'] = recording(handled, gate)
    world.events('/event/A__e', 2)
    until('the first', lambda: world.container.asked == 1)
    world.runner.forget()
    assert world.runner.unfinished == 0
    gate.send()
    until('the end of the first', lambda: handled == [1])
    world.positions.committer.flush(1.0)
    assert world.position() is None
    assert world.runner.unfinished == 0
    world.runner.hear()
    world.events('/event/A__e', 1)
    until('the new one', lambda: world.position() == 3)
    assert handled == [1, 3]


def test_nothing_is_taken_that_had_arrived_before_its_organization_was_forgotten(stage, until):
    world = stage(limit=1, start=False)
    bringing = eventlet.spawn(world.events, '/event/A__e', 5)
    until('it to be full', lambda: world.runner.unfinished == 2)
    world.runner.forget()
    with eventlet.Timeout(10):
        bringing.wait()
    world.events('/event/A__e', 1)
    channel = world.channels['/event/A__e']
    assert (channel.work.received, world.runner.unfinished) == (None, 0)
    world.runner.hear()
    assert world.events('/event/A__e', 1) == [channel.work.received]


def test_events_between_two_organizations_that_were_forgotten_are_not_taken(stage):
    world = stage(start=False)
    world.runner.forget()
    world.runner.forget()
    world.runner.hear()
    world.events('/event/A__e', 1)
    assert world.runner.unfinished == 0
    world.runner.hear()
    world.events('/event/A__e', 1)
    assert world.runner.unfinished == 1


def test_what_is_under_way_elsewhere_still_counts_after_others_were_forgotten(stage):
    """Gaps are no channel of the service."""
    world = stage(start=False)
    rules = Rules(channel='/gaps', retention=72 * HOUR, greatest_age=72 * HOUR)
    gaps = Channel(rules, {'handle': Entrypoint}, [HandlerOptions(name='handle')], lambda: 0.0)
    world.runner.put(gaps, [Delivery('/gaps', {})])
    world.events('/event/A__e', 3)
    world.runner.forget()
    assert world.runner.unfinished == 1


def test_a_stopped_channel_goes_on_with_another_organization(stage, until):
    world = stage({'/event/A__e': STOP})
    world.handlers['/event/A__e'] = failing
    world.events('/event/A__e', 2)
    channel = world.channels['/event/A__e']
    until('the stop', lambda: channel.halted)
    world.runner.forget()
    assert world.resumed == []
    world.runner.stops.gone(channel)
    assert world.resumed == [channel]
    assert (channel.halted, world.runner.unfinished) == ('', 0)


def test_whoever_waits_for_a_past_event_is_told_when_it_is_forgotten(stage):
    world = stage(start=False)
    channel = world.channels['/event/A__e']
    over = world.runner.again(channel, 'handle', Delivery('/event/A__e', {'event': {'replayId': 99}}))
    world.runner.forget()
    with eventlet.Timeout(10):
        assert over.wait() is None


def test_a_position_that_is_told_late_does_not_step_back(stage, until, monkeypatch):
    """Two workers end; the log of the first one's failure lets the second be first."""
    world = stage({'/event/A__e': {'retry': Retry(attempts=1, on_failure=OnFailure.SKIP)}}, start=False)
    channel = world.channels['/event/A__e']
    world.handlers['/event/A__e'] = recording([])
    world.events('/event/A__e', 2)
    first, second = (channel.work.next(0.0) for _ in range(2))
    channel.work.ended(first, Ended.HANDLED, 0.0)
    late = channel.work.moved()
    channel.work.ended(second, Ended.HANDLED, 0.0)
    world.runner.obey(channel, channel.work.moved())
    world.runner.obey(channel, late)
    world.positions.committer.flush(5.0)
    assert world.position() == 2
