"""Where a channel is in its log, what it promises, and until when it says that all is handled."""

from datetime import UTC, datetime

import pytest

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.tracker import Mark
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import Dropped
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.resume import (
    ALL_EVENTS,
    MARGIN,
    NEW_EVENTS,
    Halted,
    OnGap,
    Rules,
    Start,
)

CHANNEL = '/topic/Contacts'
HOUR = 3600.0
DAY = 24 * HOUR
START = 1_700_000_000.0
REFUSAL = '400::The replayId {7} you provided was invalid.'


class Stage:
    """A channel with a clock and a wall clock that run together, unless a test puts the latter back."""

    def __init__(self, name=CHANNEL, **rules):
        rules = Rules(channel=name, retention=DAY, **{'greatest_age': DAY, **rules})
        self.channel = Channel(rules, {'handle': None}, [HandlerOptions(name='handle')], lambda: 0.0)
        self.now = START
        self.clock = 100.0
        self.effects = []

    def wait(self, seconds):
        self.now += seconds
        self.clock += seconds

    @property
    def mark(self):
        return self.channel.mark(self.now, self.clock)

    def resume(self, refusal=''):
        plan, effects = self.channel.resume(refusal, self.now)
        self.effects += effects
        return plan

    def subscribe(self):
        """Find out where to, and have the subscription come about."""
        plan = self.resume()
        self.channel.subscribed(self.now)
        return plan

    def connect(self, times=1):
        """Have connects answered that bring nothing."""
        for _ in range(times):
            self.channel.connected(self.now)

    def caught_up(self):
        """Subscribed to, with everything brought that there was."""
        self.subscribe()
        self.connect(2)

    def arrive(self, replay_id, *, created_ago=0.0, provisional=False):
        event = {'replayId': replay_id}
        if created_ago is not None:
            event['createdDate'] = datetime.fromtimestamp(self.now - created_ago, UTC).isoformat()
        effects = self.channel.arrived(
            [Delivery(self.channel.name, {'event': event})],
            self.now,
            self.clock,
            provisional=provisional,
            characters=0.0,
        )
        self.effects += effects
        return effects

    def handle(self, *arrivals):
        """Have these events arrive and be done."""
        for each in arrivals:
            self.arrive(each)
        self.finish()

    def finish(self):
        """Have all that waits be done."""
        work = self.channel.work
        while (run := work.next(self.clock)) is not None:
            self.effects += [*work.ended(run, Ended.HANDLED, self.clock), *work.moved()]

    @property
    def seen_until(self):
        return self.channel.seen_until(self.now, self.clock)

    def kept(self):
        """What the store would hold for the last event that is done."""
        done = self.channel.work.committable
        assert isinstance(done, Mark)
        return self.channel.committed(done, self.now, self.clock)


@pytest.fixture
def stage():
    return Stage()


def begun(position, **rules):
    stage = Stage(**rules)
    stage.channel.begin(position)
    return stage


def stored(replay_id=7, *, seen_ago=60.0, created_ago=HOUR, marked_ago=5 * DAY):
    return Position(replay_id, START - created_ago, START - seen_ago, START - marked_ago)


# --- three positions ------------------------------------------------------------------------------


def test_a_living_process_goes_on_behind_what_has_arrived_and_the_next_one_behind_what_is_done(stage):
    stage.caught_up()
    stage.handle(1)
    stage.arrive(2)
    assert stage.channel.position.replay_id == 2
    assert stage.kept().replay_id == 1
    assert stage.resume().replay_from == 2


@pytest.mark.parametrize('replay_id', [0, '', '7'])
def test_ids_that_look_like_nothing_are_ids(replay_id):
    stage = begun(stored(replay_id))
    assert stage.subscribe().replay_from == replay_id
    assert stage.channel.position.replay_id == replay_id
    assert stage.mark is None
    assert stage.resume(REFUSAL).replay_from == ALL_EVENTS


def test_before_the_first_event_the_mark_stands_for_both_positions(stage):
    stage.caught_up()
    mark = Position(None, None, START, START)
    assert stage.channel.position == stage.mark == mark


def test_a_mark_is_kept_no_more_once_an_event_is_done(stage):
    stage.caught_up()
    stage.arrive(1)
    assert stage.mark is not None
    stage.finish()
    assert stage.mark is None


def test_a_position_says_when_its_event_was_created_and_when_the_channel_was_marked(stage):
    stage.caught_up()
    stage.wait(HOUR)
    stage.arrive(1, created_ago=60.0)
    stage.finish()
    stage.connect(2)
    kept = stage.kept()
    assert (kept.replay_id, kept.marked_at) == (1, START)
    assert kept.event_time == pytest.approx(stage.now - 60.0)
    assert kept.seen_until == stage.now


def test_a_restart_keeps_the_mark_of_the_first_start():
    stage = begun(stored(marked_ago=5 * DAY))
    stage.subscribe()
    stage.handle(8)
    assert stage.kept().marked_at == START - 5 * DAY


def test_an_event_that_came_beside_a_poll_moves_nothing_before_the_poll_is_over():
    stage = begun(stored(7))
    stage.subscribe()
    stage.arrive(8, provisional=True)
    assert stage.channel.position.replay_id == 7
    stage.channel.poll_answered()
    assert stage.channel.position.replay_id == 8


# --- the first start ------------------------------------------------------------------------------


def test_a_first_start_whose_subscription_does_not_come_about_promises_nothing_and_marks_anew(stage):
    stage.resume()
    assert stage.channel.position is None
    stage.wait(HOUR)
    plan = stage.resume()
    assert plan.replay_from == NEW_EVENTS
    assert plan.position == Position(None, None, 0.0, START + HOUR)


def test_a_first_start_that_came_about_goes_on_from_its_mark(stage):
    stage.subscribe()
    stage.wait(HOUR)
    plan = stage.resume()
    assert (plan.replay_from, plan.drop_before) == (ALL_EVENTS, START - MARGIN)


def test_a_first_event_beside_a_poll_promises_nothing_before_its_poll_is_over(stage):
    stage.resume()
    stage.arrive(1, provisional=True)
    assert stage.channel.position is None


def test_the_mark_of_an_earlier_process_is_a_promise():
    stage = begun(Position(None, None, 0.0, START - HOUR))
    assert stage.resume().replay_from == ALL_EVENTS


def test_a_quiet_channel_is_not_lost_in_a_living_process(stage):
    stage.caught_up()
    stage.wait(5 * DAY)
    stage.connect()
    stage.wait(60.0)
    plan = stage.resume()
    assert (plan.replay_from, plan.gap) == (ALL_EVENTS, None)


def test_a_quiet_channel_with_the_mark_of_an_earlier_process_is_not_lost_either():
    stage = begun(Position(None, None, START - HOUR, START - HOUR))
    stage.caught_up()
    stage.wait(5 * DAY)
    stage.connect()
    plan = stage.resume()
    assert (plan.replay_from, plan.gap) == (ALL_EVENTS, None)


def test_a_start_from_the_earliest_takes_all_again_until_an_event_is_done():
    stage = Stage(start=Start.EARLIEST)
    stage.subscribe()
    stage.arrive(1, created_ago=20 * HOUR)
    again = begun(stage.mark, start=Start.EARLIEST)
    plan = again.resume()
    assert (plan.replay_from, plan.drop_before, plan.gap) == (ALL_EVENTS, None, None)


def test_a_start_from_the_earliest_whose_events_came_beside_a_poll_is_no_loss_for_the_next_process():
    stage = Stage(start=Start.EARLIEST)
    stage.resume()
    stage.arrive(1, created_ago=20 * HOUR, provisional=True)
    stage.channel.subscribed(stage.now)
    stage.finish()
    stage.channel.poll_answered()
    stage.connect()  # the one that they came beside: the replay may go on
    assert stage.kept().seen_until == pytest.approx(START - 20 * HOUR)
    plan = begun(stage.kept(), start=Start.EARLIEST).resume()
    assert (plan.replay_from, plan.gap) == (1, None)


# --- until when all is handled --------------------------------------------------------------------


def test_all_is_handled_until_the_last_answered_connect(stage):
    stage.caught_up()
    stage.wait(HOUR)
    assert stage.seen_until == START
    stage.connect()
    assert stage.seen_until == START + HOUR


def test_an_event_that_is_not_done_holds_it_at_its_creation(stage):
    stage.caught_up()
    stage.arrive(1, created_ago=10.0)
    stage.wait(HOUR)
    stage.connect(2)
    assert stage.seen_until == pytest.approx(START - 10.0)
    stage.finish()
    assert stage.seen_until == stage.now


def test_a_dead_letter_that_is_run_again_hides_no_older_event_of_the_stream(stage):
    stage.caught_up()
    stage.channel.work.again(Delivery(CHANNEL, {'event': {'replayId': 3}}), 'handle', stage.clock)
    stage.wait(60.0)
    stage.arrive(8, created_ago=20 * HOUR)
    stage.connect(2)
    assert stage.seen_until == pytest.approx(stage.now - 20 * HOUR)


def test_a_dead_letter_that_is_run_again_is_no_part_of_the_stream(stage):
    stage.caught_up()
    stage.channel.work.again(Delivery(CHANNEL, {'event': {'replayId': 3}}), 'handle', stage.clock)
    assert stage.channel.work.unfinished == 1
    stage.wait(25 * HOUR)
    stage.connect()
    assert stage.seen_until == stage.now
    assert stage.channel.lag(stage.now, stage.clock) == 0.0
    stage.finish()
    assert stage.channel.work.unfinished == 0


def test_an_event_that_does_not_say_when_it_was_created_holds_it_at_its_arrival(stage):
    stage.caught_up()
    stage.wait(10.0)
    stage.arrive(1, created_ago=None)
    stage.wait(HOUR)
    stage.connect(2)
    assert stage.seen_until == pytest.approx(START + 10.0)


def test_done_events_behind_an_unfinished_one_do_not_move_it(stage):
    stage.caught_up()
    stage.arrive(1)
    run = stage.channel.work.next(stage.clock)
    stage.wait(60.0)
    stage.handle(2)
    stage.connect(2)
    assert stage.seen_until == pytest.approx(START)
    stage.channel.work.ended(run, Ended.HANDLED, stage.clock)
    assert stage.seen_until == stage.now


def test_the_rest_of_a_backlog_is_as_old_as_what_was_brought_of_it():
    stage = begun(stored(7, seen_ago=20 * HOUR, created_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(8, created_ago=19.5 * HOUR)
    stage.finish()
    stage.connect()  # the one that brought it
    assert stage.kept().seen_until == pytest.approx(START - 19.5 * HOUR)


def test_a_process_that_ends_within_a_backlog_tells_the_next_one_what_has_grown_too_old():
    stage = begun(stored(7, seen_ago=20 * HOUR, created_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(8, created_ago=19.5 * HOUR)
    stage.finish()
    again = begun(stage.kept())
    again.wait(10 * HOUR)  # the next event of the backlog was created 29 h ago, and is kept for 24
    assert again.resume(REFUSAL).gap is not None


def test_a_living_process_tells_what_has_grown_too_old_within_a_backlog():
    stage = begun(stored(7, seen_ago=20 * HOUR, created_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(8, created_ago=19.5 * HOUR)
    stage.wait(10 * HOUR)
    assert stage.resume().gap is None
    assert stage.resume(REFUSAL).gap is not None


def test_the_mark_of_a_replay_does_not_pass_what_it_has_brought_and_is_not_done():
    stage = Stage(start=Start.EARLIEST)
    stage.subscribe()
    stage.arrive(1, created_ago=20 * HOUR)
    stage.arrive(2)
    assert stage.mark.seen_until == pytest.approx(START - 20 * HOUR)


def test_a_living_process_tells_what_has_grown_too_old_behind_a_mark():
    stage = begun(Position(None, None, START - 20 * HOUR, START - 20 * HOUR))
    stage.subscribe()
    stage.wait(HOUR)
    assert stage.resume().gap is None
    stage.wait(5 * HOUR)  # what the replay had to bring was created up to 26 h ago
    assert stage.resume().gap is not None


def test_a_loss_by_age_is_told_from_where_a_backlog_had_been_brought():
    stage = begun(stored(7, seen_ago=20 * HOUR, created_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(8, created_ago=19.5 * HOUR)
    stage.wait(25 * HOUR)
    gap = stage.resume().gap
    assert gap.seen_until == pytest.approx(START - 19.5 * HOUR)
    assert gap.age == pytest.approx(44.5 * HOUR)


def test_a_mark_in_place_of_a_refused_id_does_not_pass_what_is_under_way(stage):
    stage.caught_up()
    stage.arrive(1, created_ago=HOUR)
    stage.connect(2)
    assert stage.resume().replay_from == 1
    plan = stage.resume(REFUSAL)
    assert (plan.replay_from, plan.gap) == (ALL_EVENTS, None)
    assert plan.position.seen_until == pytest.approx(START - HOUR)
    stage.finish()
    assert stage.seen_until == START


def test_a_loss_is_told_from_the_oldest_event_that_is_still_under_way(stage):
    stage.caught_up()
    stage.arrive(1, created_ago=HOUR)
    stage.wait(60.0)
    stage.connect(2)
    stage.wait(25 * HOUR)
    gap = stage.resume().gap
    assert gap.seen_until == pytest.approx(START - HOUR)
    assert gap.age == pytest.approx(26 * HOUR + 60.0)


def test_what_came_beside_a_poll_that_was_lost_says_nothing_of_what_was_brought():
    stage = begun(stored(7, seen_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(8, created_ago=10 * HOUR, provisional=True)
    stage.finish()
    stage.channel.poll_lost()
    stage.channel.poll_answered()  # of a later one, with nothing beside it
    assert stage.seen_until == START - 20 * HOUR


def test_a_replay_that_a_poll_brings_behind_what_came_beside_it_is_not_over():
    stage = begun(stored(7, seen_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(100, provisional=True)
    stage.arrive(8, created_ago=19 * HOUR)
    stage.finish()
    stage.channel.poll_answered()
    assert stage.kept().seen_until == pytest.approx(START - 19 * HOUR)


def test_neither_the_subscription_nor_a_connect_that_was_under_way_ends_a_replay():
    stage = begun(stored(7, seen_ago=20 * HOUR))
    stage.subscribe()
    stage.connect()
    assert stage.seen_until == START - 20 * HOUR


def test_a_connect_that_brought_nothing_ends_a_replay():
    stage = begun(stored(7, seen_ago=20 * HOUR))
    stage.subscribe()
    stage.arrive(8, created_ago=19 * HOUR)
    stage.finish()
    stage.connect(2)  # the one that brought it, and one more
    assert stage.seen_until == START


def test_a_channel_that_is_never_quiet_is_as_old_as_its_latest_event(stage):
    stage.caught_up()
    for number in range(30):
        stage.wait(HOUR)
        stage.arrive(number, created_ago=1.0)
        stage.finish()
        stage.connect()
    assert stage.seen_until == pytest.approx(stage.now - 1.0)


def test_an_event_created_by_a_clock_ahead_of_ours_promises_nothing_of_the_future(stage):
    stage.caught_up()
    stage.arrive(1, created_ago=-HOUR)
    stage.finish()
    assert stage.seen_until == stage.now


def test_a_clock_that_is_put_back_does_not_make_a_position_younger_than_it_is(stage):
    stage.caught_up()
    stage.handle(1)
    stage.now -= 10 * DAY
    stage.connect(2)
    assert stage.seen_until == stage.now
    stage.wait(2 * DAY)
    assert stage.resume(REFUSAL).gap is not None


def test_the_lag_is_the_age_of_the_oldest_event_that_is_not_done(stage):
    stage.caught_up()
    assert stage.channel.lag(stage.now, stage.clock) == 0.0
    stage.arrive(1, created_ago=60.0)
    stage.wait(10.0)
    assert stage.channel.lag(stage.now, stage.clock) == pytest.approx(70.0)


# --- lost positions -------------------------------------------------------------------------------


def test_a_refused_id_is_not_asked_for_again():
    stage = begun(stored(7))
    assert stage.resume().replay_from == 7
    assert stage.resume(REFUSAL).replay_from == ALL_EVENTS
    assert stage.resume().replay_from == ALL_EVENTS
    assert stage.channel.gaps == 0


def test_after_a_refusal_the_next_arrival_is_a_position_again():
    stage = begun(stored(7))
    stage.resume()
    stage.resume(REFUSAL)
    stage.connect()
    stage.arrive(1)
    assert stage.channel.position.replay_id == 1
    assert stage.resume().replay_from == 1


def test_what_a_server_says_of_another_position_is_not_held_against_this_one():
    stage = begun(stored(7))
    stage.subscribe()
    stage.arrive(8)
    assert stage.resume(REFUSAL).replay_from == 8


def test_a_lost_position_is_told_and_counted_once():
    stage = begun(stored(7, seen_ago=30 * HOUR))
    assert stage.resume().gap is not None
    stage.wait(60.0)
    assert stage.resume().gap is None
    assert stage.channel.gaps == 1


def test_a_lost_position_is_not_told_again_by_the_next_process():
    stage = begun(stored(7, seen_ago=30 * HOUR))
    plan = stage.subscribe()
    for kept in (plan.position, stage.channel.position):
        assert begun(kept).resume().gap is None


def hung_for_too_long(**rules):
    """Two events whose handlers hang over an outage that is longer than retention; the run of the first."""
    stage = begun(stored(6), **rules)
    stage.caught_up()
    stage.arrive(7)
    stage.arrive(8)
    run = stage.channel.work.next(stage.clock)
    stage.wait(DAY + HOUR)
    return stage, run


def test_a_loss_that_was_told_is_not_told_again_because_of_what_hangs_since_before_it():
    stage, run = hung_for_too_long()
    assert stage.subscribe().gap is not None
    stage.channel.work.ended(run, Ended.HANDLED, stage.clock)
    again = begun(stage.kept())
    again.wait(DAY + HOUR + 60.0)
    assert again.resume().gap is None


def test_what_hangs_since_before_a_loss_that_was_told_makes_the_channel_no_older():
    stage, _ = hung_for_too_long()
    stage.subscribe()
    assert stage.seen_until == stage.now


def test_a_position_from_a_time_to_come_is_put_right():
    stage = begun(stored(7, seen_ago=-3 * HOUR))
    stage.caught_up()
    stage.handle(8)
    stage.arrive(9, created_ago=10.0)
    assert stage.kept().seen_until == pytest.approx(stage.now - 10.0)


def test_a_loss_that_nobody_has_decided_about_halts_the_next_process_too():
    stage, run = hung_for_too_long(on_gap=OnGap.FAIL)
    assert isinstance(stage.resume(), Halted)
    stage.channel.work.ended(run, Ended.HANDLED, stage.clock)
    again = begun(stage.kept(), on_gap=OnGap.FAIL)
    again.wait(DAY + HOUR)
    assert isinstance(again.resume(), Halted)


def test_a_loss_within_a_backlog_is_not_told_again_by_the_next_process():
    stage = Stage()
    stage.subscribe()
    stage.arrive(1, created_ago=23.4 * HOUR, provisional=True)
    stage.wait(2 * DAY)
    assert stage.resume().gap is not None
    stage.channel.connected(stage.now)
    assert begun(stage.mark).channel.resume('', stage.now + HOUR)[0].gap is None


def test_where_nothing_goes_on_after_a_loss_it_is_counted_once_however_often_it_is_asked():
    stage = begun(stored(7, seen_ago=30 * HOUR), on_gap=OnGap.FAIL)
    first = stage.resume()
    assert isinstance(first, Halted)
    assert stage.resume() == first
    assert stage.channel.gaps == 1
    assert "on_gap is 'fail'" in stage.channel.halted


def test_events_from_before_a_mark_are_passed_over_and_the_position_moves(stage):
    stage.caught_up()
    stage.wait(HOUR)
    stage.subscribe()
    effects = stage.arrive(1, created_ago=HOUR + MARGIN + 1)
    assert [type(each) for each in effects] == [Dropped, Mark]
    assert stage.channel.work.next(stage.clock) is None


def test_events_of_the_margin_before_a_mark_are_handled(stage):
    stage.caught_up()
    stage.wait(HOUR)
    stage.subscribe()
    stage.arrive(1, created_ago=HOUR + MARGIN - 1)
    assert stage.channel.work.next(stage.clock) is not None


def test_an_event_that_does_not_say_when_it_was_created_is_never_passed_over(stage):
    stage.caught_up()
    stage.subscribe()
    stage.arrive(1, created_ago=None)
    assert stage.channel.work.next(stage.clock) is not None


# --- beginning anew -------------------------------------------------------------------------------


def test_what_is_forgotten_is_a_first_start(stage):
    stage.caught_up()
    stage.handle(1)
    stage.channel.forget()
    assert not stage.channel.loaded
    assert stage.channel.position is None
    assert stage.seen_until == 0.0
    assert stage.resume().replay_from == NEW_EVENTS


def test_what_was_under_way_belongs_to_the_work_that_is_forgotten(stage):
    stage.caught_up()
    stage.arrive(1)
    work = stage.channel.work
    run = work.next(stage.clock)
    stage.channel.forget()
    work.ended(run, Ended.HANDLED, stage.clock)
    assert stage.channel.work.committable is None


def test_a_channel_that_was_halted_is_not_after_it_was_forgotten():
    stage = begun(stored(7, seen_ago=30 * HOUR), on_gap=OnGap.FAIL)
    stage.resume()
    stage.channel.forget()
    stage.channel.begin(stored(8))
    assert stage.channel.halted == ''
    assert stage.resume().replay_from == 8


def test_an_id_that_another_organization_refused_may_be_asked_for(stage):
    stage.channel.begin(stored(7))
    stage.resume()
    stage.resume(REFUSAL)
    stage.channel.forget()
    stage.channel.begin(stored(7))
    assert stage.resume().replay_from == 7


# --- channels that are not kept -------------------------------------------------------------------


def test_a_channel_that_salesforce_does_not_keep_has_no_position_and_takes_new_events():
    stage = Stage('/chat/room', start=Start.EARLIEST)
    assert not stage.channel.durable
    for refusal in ('', REFUSAL):
        plan = stage.resume(refusal)
        assert (plan.replay_from, plan.position, plan.gap) == (NEW_EVENTS, None, None)


@pytest.mark.parametrize(
    'name', ['/topic/A', "/topic/A?Name='x'", '/u/a', '/event/A__e', '/data/AChangeEvent']
)
def test_the_channels_that_salesforce_keeps(name):
    assert Stage(name).channel.durable


def test_a_channel_that_goes_on_after_a_stop_still_waits_for_a_decision_about_its_loss():
    stage = begun(stored(7, seen_ago=2 * DAY), on_gap=OnGap.FAIL)
    stage.resume()
    lost = stage.channel.halted
    stage.channel.halted = 'its handler has stopped it'
    stage.channel.goes_on()
    assert stage.channel.halted == lost != ''
