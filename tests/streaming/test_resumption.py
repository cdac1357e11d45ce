"""Where a channel is subscribed from, found out from login, store and channel; and who is told what."""

import logging

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux.effects import PollAnswered, PollLost
from nameko_salesforce.bayeux.preparation import PreparationFailed
from nameko_salesforce.errors import StreamRefused
from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import StoreFailed, StoreUnreadable
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.positions import Positions
from nameko_salesforce.streaming.resume import ALL_EVENTS, NEW_EVENTS, OnGap, Rules
from nameko_salesforce.streaming.resumption import Resumption

ONE, OTHER = '00D000000000001AAA', '00D000000000002AAA'
CHANNEL = '/event/Low_Ink__e'
HOUR = 3600.0
RETENTION = 72 * HOUR
NOW = 1_700_000_000.0
REFUSAL = '400::The replayId {7} you provided was invalid.  Please provide a valid ID'


class Faulty(MemoryStore):
    """Raises `problem` while there is one; `gate` holds what is asked for."""

    problem = None
    gate = None

    def __init__(self):
        super().__init__()
        self.loads = 0

    def load(self, channel):
        self.loads += 1
        if self.gate is not None:
            self.gate.wait()
        if self.problem is not None:
            raise self.problem
        return super().load(channel)


class World:
    """Channels of one service, its stores, and what was told."""

    def __init__(self, *names, **rules):
        self.channels = {}
        for name in names or (CHANNEL,):
            own = Rules(channel=name, retention=RETENTION, greatest_age=RETENTION, **rules)
            self.channels[name] = Channel(own, {'handle': None}, [HandlerOptions(name='handle')], lambda: 0.0)
        self.channel = next(iter(self.channels.values()))
        self.now = NOW
        self.lag = 0.0
        self.stores = {ONE: Faulty(), OTHER: Faulty()}
        self.store = self.stores[ONE]
        self.threads = []
        self.positions = Positions(self.stores.get, self.spawn)
        self.forgotten = 0
        self.obeyed = []
        self.gaps = []
        self.given_up = []
        self.resumption = Resumption(
            self.channels.values(),
            self.positions,
            forget=self.forget,
            obey=lambda channel, effects: self.obeyed.append((channel, effects)),
            tell=self.gaps.append,
            give_up=self.given_up.append,
            lag=lambda: self.lag,
            clock=lambda: self.now,
            wall=lambda: self.now,
        )

    def spawn(self, function):
        self.threads.append(eventlet.spawn(function))
        return self.threads[-1]

    def forget(self):
        self.forgotten += 1
        for each in self.channels.values():
            each.forget()

    def keep(self, replay_id=7, *, seen_ago=60.0, organization=ONE):
        kept = Position(replay_id, NOW - 100 * HOUR, NOW - seen_ago, NOW - 200 * HOUR)
        self.stores[organization].save({CHANNEL: kept})

    def poll(self, ending=None):
        """A connect is answered well, and its response ends."""
        self.resumption.connected()
        self.resumption.poll_ended(ending or PollAnswered(1))

    def ask(self, refusal='', organization=ONE, name=None):
        return self.resumption.replay_map(name or self.channel.name, refusal, organization)

    def fails(self, **options):
        """Ask in vain; why."""
        with pytest.raises(PreparationFailed) as caught:
            self.ask(**options)
        return str(caught.value)


@pytest.fixture
def make(caplog):
    caplog.set_level(logging.INFO)
    made = []

    def make(*names, **rules):
        made.append(World(*names, **rules))
        return made[-1]

    yield make
    for each in made:
        for thread in each.threads:
            thread.kill()


@pytest.fixture
def world(make):
    return make()


@pytest.fixture
def gap_records(caplog):
    return lambda: [each for each in caplog.records if hasattr(each, 'salesforce_gap')]


# --- what a subscription says ---------------------------------------------------------------------


@pytest.mark.parametrize('replay_id', [7, 0, '', 'opaque'])
def test_a_kept_position_is_asked_for(world, replay_id):
    world.keep(replay_id)
    assert world.ask() == {CHANNEL: replay_id}


def test_a_first_start_takes_new_events_and_its_mark_is_kept(world, until):
    assert world.ask() == {CHANNEL: NEW_EVENTS}
    until('the mark', lambda: world.store.load(CHANNEL) == Position(None, None, 0.0, NOW))


def test_the_replay_map_names_the_channel_without_its_filter(make):
    world = make("/topic/Contacts?Industry='Energy'")
    assert world.ask() == {'/topic/Contacts': NEW_EVENTS}


def test_a_channel_that_salesforce_does_not_keep_asks_no_store(make):
    world = make('/chat/room')
    assert world.ask() == {'/chat/room': NEW_EVENTS}
    assert world.positions.store is None


def test_the_store_is_asked_once_for_a_channel(world):
    world.keep()
    world.ask()
    world.ask()
    assert world.store.loads == 1


def test_two_questions_at_once_have_one_answer(world, until):
    world.keep()
    world.store.gate = Event()
    asked = [eventlet.spawn(world.ask) for _ in range(2)]
    until('both calls', lambda: world.store.loads == 2)
    world.store.gate.send()
    assert [each.wait() for each in asked] == [{CHANNEL: 7}] * 2


def test_a_refused_id_is_followed_by_all_events(world, until):
    world.keep()
    world.ask()
    assert world.ask(REFUSAL) == {CHANNEL: ALL_EVENTS}
    assert world.gaps == []
    until('the mark in its place', lambda: world.store.load(CHANNEL).replay_id is None)


def test_another_refusal_says_nothing_about_the_position(world):
    world.keep()
    world.ask()
    assert world.ask('403::Subscriber does not have access to the entity in this topic') == {CHANNEL: 7}


def test_where_new_events_follow_a_loss_the_work_of_the_channel_is_told(make):
    world = make(on_gap=OnGap.LATEST)
    world.keep(seen_ago=80 * HOUR)
    assert world.ask() == {CHANNEL: NEW_EVENTS}
    assert [channel for channel, _ in world.obeyed] == [world.channel]


# --- a store that does not answer -----------------------------------------------------------------


def test_a_store_that_is_down_delays_its_channel_and_nothing_is_guessed(world):
    world.keep()
    world.store.problem = StoreFailed('redis://host: refused')
    assert world.fails() == 'its position is not known: redis://host: refused'
    assert not world.channel.loaded
    assert world.given_up == []
    world.store.problem = None
    assert world.ask() == {CHANNEL: 7}


def test_a_store_that_was_learned_from_may_be_down_later(world):
    world.keep()
    world.ask()
    world.store.problem = StoreFailed('down')
    assert world.ask() == {CHANNEL: 7}


def test_a_position_that_cannot_be_read_is_given_up_and_not_taken_for_none(world):
    world.store.problem = StoreUnreadable('redis://host: of version 2')
    assert world.fails() == 'redis://host: of version 2'
    [error] = world.given_up
    assert isinstance(error, StreamRefused)
    assert (error.what, error.reason) == (CHANNEL, 'redis://host: of version 2')
    assert not world.channel.loaded


def test_a_store_that_is_down_for_one_channel_holds_up_no_other(make):
    world = make(CHANNEL, '/chat/room')
    world.store.problem = StoreFailed('down')
    world.fails()
    assert world.ask(name='/chat/room') == {'/chat/room': NEW_EVENTS}


def test_a_kill_while_the_store_is_asked_leaves_the_question_open(world, until):
    world.keep()
    world.store.gate = Event()
    asked = eventlet.spawn(world.ask)
    until('the call', lambda: world.store.loads)
    asked.kill()
    world.store.gate = None
    assert world.ask() == {CHANNEL: 7}


# --- lost positions -------------------------------------------------------------------------------


@pytest.mark.defect('S5')
def test_a_lost_position_is_told_once_with_all_that_is_known(world, gap_records):
    world.keep(seen_ago=80 * HOUR)
    assert world.ask() == {CHANNEL: ALL_EVENTS}
    world.ask()
    [record] = gap_records()
    assert record.levelno == logging.WARNING
    assert record.salesforce_gap == {
        'channel': CHANNEL,
        'reason': 'last connected 80.0 h ago; positions are used for 72.0 h',
        'replay_id': 7,
        'event_time': NOW - 100 * HOUR,
        'seen_until': NOW - 80 * HOUR,
        'age': 80 * HOUR,
        'chosen': 'earliest',
        'noticed_at': NOW,
    }
    [gap] = world.gaps
    assert (gap.replay_id, gap.chosen) == (7, OnGap.EARLIEST)


@pytest.mark.parametrize(
    ('on_gap', 'words'),
    [
        (OnGap.EARLIEST, 'all events that Salesforce still has are asked for'),
        (OnGap.LATEST, 'the channel goes on with new events'),
        (OnGap.FAIL, 'the channel is not subscribed to until somebody decides'),
    ],
)
def test_the_log_says_where_the_channel_goes_on(make, gap_records, on_gap, words):
    world = make(on_gap=on_gap)
    world.keep(seen_ago=80 * HOUR)
    try:
        world.ask()
    except PreparationFailed:
        assert on_gap is OnGap.FAIL
    [record] = gap_records()
    assert words in record.getMessage()


def test_a_mark_takes_the_place_of_a_lost_position_so_that_no_restart_finds_it_again(world, until):
    world.keep(seen_ago=80 * HOUR)
    world.ask()
    until('the mark', lambda: world.store.load(CHANNEL).replay_id is None)
    assert world.store.load(CHANNEL).seen_until == NOW


def test_where_nothing_may_go_on_it_is_told_and_given_up_once_however_often_it_is_asked(make, gap_records):
    world = make(on_gap=OnGap.FAIL)
    world.keep(seen_ago=80 * HOUR)
    reasons = {world.fails() for _ in range(3)}
    [reason] = reasons
    assert "on_gap is 'fail'" in reason
    assert len(gap_records()) == len(world.gaps) == 1
    [error] = world.given_up
    assert (error.what, error.reason) == (CHANNEL, reason)


def test_where_nothing_may_go_on_after_a_refusal_the_refused_id_is_not_asked_for_again(make):
    world = make(on_gap=OnGap.FAIL)
    world.keep(seen_ago=71.5 * HOUR)
    assert world.ask() == {CHANNEL: 7}
    reason = world.fails(refusal=REFUSAL)
    assert world.fails(refusal=reason) == reason
    assert len(world.given_up) == 1


def test_where_nothing_may_go_on_the_lost_position_stays_for_whoever_decides(make):
    world = make(on_gap=OnGap.FAIL)
    world.keep(seen_ago=80 * HOUR)
    world.fails()
    world.positions.stop(5.0)
    assert world.store.load(CHANNEL).replay_id == 7


# --- another organization -------------------------------------------------------------------------


def test_another_organization_begins_anew_with_its_own_positions(world):
    world.keep(7)
    world.keep(8, organization=OTHER)
    assert world.ask() == {CHANNEL: 7}
    assert world.ask(organization=OTHER) == {CHANNEL: 8}
    assert world.forgotten == 1


def test_a_connect_of_the_old_organization_says_nothing_of_the_new_one(world):
    world.keep(8, organization=OTHER, seen_ago=HOUR)
    world.ask()
    world.resumption.connected()
    world.ask(organization=OTHER)
    world.channel.active = True
    world.resumption.poll_ended(PollAnswered(1))
    assert world.channel.seen == NOW - HOUR


def test_the_same_organization_forgets_nothing(world):
    world.keep()
    world.ask()
    world.ask()
    assert world.forgotten == 0


def test_all_channels_are_forgotten_once(make):
    world = make(CHANNEL, '/topic/Contacts')
    for name in world.channels:
        world.ask(name=name)
    for name in world.channels:
        world.ask(name=name, organization=OTHER)
    assert world.forgotten == 1


def test_a_late_answer_of_the_old_organization_is_not_taken_for_one_of_the_new(world, until):
    world.keep(7)
    world.store.gate = Event()
    late = eventlet.spawn(world.fails)
    until('the call', lambda: world.store.loads)
    assert world.ask(organization=OTHER) == {CHANNEL: NEW_EVENTS}
    world.store.gate.send()
    assert 'its position is not known' in late.wait()
    assert world.channel.position is None


# --- how long channels were connected -------------------------------------------------------------


def kept(world, name=CHANNEL):
    world.positions.committer.flush(5.0)
    return world.store.load(name)


def test_a_first_subscription_is_kept_with_the_time_when_it_came_about(world):
    world.ask()
    world.now += 5
    world.resumption.subscribed(CHANNEL, True)
    mark = kept(world)
    assert (mark.replay_id, mark.marked_at, mark.seen_until) == (None, NOW, NOW + 5)


def test_an_answered_connect_puts_the_time_of_active_channels_forward(make):
    world = make(CHANNEL, '/event/Quiet__e')
    for name in (CHANNEL, '/event/Quiet__e'):
        world.ask(name=name)
        world.resumption.subscribed(name, True)
    world.resumption.subscribed('/event/Quiet__e', False)
    world.now += 100
    world.poll()
    assert kept(world).seen_until == NOW + 100
    assert kept(world, '/event/Quiet__e').seen_until == NOW


def test_many_connects_in_a_second_are_one_look_at_all_channels(world):
    world.ask()
    world.resumption.subscribed(CHANNEL, True)
    world.now += 10
    world.poll()
    world.now += 0.5
    world.poll()
    assert world.channel.seen == NOW + 10
    world.now += 0.5
    world.poll()
    assert world.channel.seen == NOW + 11


def test_a_connect_whose_response_breaks_off_says_nothing_of_what_was_behind(make):
    world = make()
    world.ask()
    world.resumption.subscribed(CHANNEL, True)
    world.now += HOUR
    world.poll(PollLost(1, 'truncated'))
    world.resumption.poll_ended(PollAnswered(2))  # of a connect that was refused
    assert world.channel.seen == NOW
    world.poll()
    assert world.channel.seen == NOW + HOUR


def test_what_has_waited_behind_events_says_nothing_of_now(make):
    world = make()
    world.ask()
    world.now += HOUR
    world.lag = 600.0
    world.resumption.subscribed(CHANNEL, True)
    assert world.channel.seen == world.now - 600.0
    world.now += 300.0
    world.poll()
    assert world.channel.seen == world.now - 600.0


def test_a_connect_says_nothing_of_a_channel_that_takes_nothing(make):
    world = make()
    world.ask()
    world.resumption.subscribed(CHANNEL, True)
    world.channel.halted = 'its handler has stopped it'
    world.now += HOUR
    world.poll()
    assert world.channel.seen == NOW
