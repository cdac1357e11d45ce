"""How far the positions of one channel may move: named cases, a naive list, and a server that loses polls."""

import gc
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.tracker import Mark, Ticket, Tracker


def arrived(tracker, replay_id, event_time, *, provisional=False):
    """Its ticket; None where it is a re-delivery."""
    ticket = Ticket(replay_id, event_time)
    return ticket if tracker.arrived(ticket, provisional=provisional) else None


def arrive(tracker, *ids, provisional=False):
    """Their tickets."""
    return [arrived(tracker, each, float(each), provisional=provisional) for each in ids]


def committable(tracker):
    """Its id alone."""
    mark = tracker.committable
    return None if mark is None else mark.replay_id


# --- order of arrival ------------------------------------------------------------------------------


@pytest.mark.defect('S1')
def test_the_position_never_passes_an_unfinished_event_and_ends_at_the_last():
    tracker = Tracker(None)
    one, two, three = arrive(tracker, 1, 2, 3)
    seen = []
    for ticket in (two, three, one):
        tracker.done(ticket)
        seen.append(committable(tracker))
    assert seen == [None, None, 3]


@pytest.mark.defect('S2')
def test_the_position_stays_before_an_event_that_is_not_done_whatever_is_done_behind_it():
    tracker = Tracker(None)
    zero, one, *others = arrive(tracker, 0, 1, *range(2, 50))
    tracker.done(zero)
    for ticket in others:
        tracker.done(ticket)
    assert committable(tracker) == 0
    tracker.done(one)
    assert committable(tracker) == 49


@pytest.mark.defect('S3')
def test_what_comes_again_while_it_is_in_flight_or_after_it_is_done_is_no_second_event():
    tracker = Tracker(None)
    one, two = arrive(tracker, 1, 2)
    tracker.done(one)
    assert arrive(tracker, 1, 2) == [None, None]
    assert (committable(tracker), tracker.received, tracker.in_flight) == (1, 2, 1)
    tracker.done(two)
    assert committable(tracker) == 2


@pytest.mark.defect('S3')
def test_a_living_process_goes_on_behind_what_it_has_received():
    tracker = Tracker(Position(7, None, 0.0, 0.0))
    assert (tracker.received, committable(tracker)) == (7, 7)
    arrive(tracker, 8, 9)
    assert (tracker.received, committable(tracker)) == (9, 7)


@pytest.mark.defect('S8')
def test_no_position_waits_for_an_event_without_an_id_or_names_it():
    tracker = Tracker(None)
    (one,) = arrive(tracker, 1)
    nameless = arrived(tracker, None, 5.0)
    again = arrived(tracker, None, 5.0)
    (two,) = arrive(tracker, 2)
    assert (tracker.in_flight, tracker.received) == (4, 2)
    tracker.done(one)
    tracker.done(two)
    assert committable(tracker) == 2
    for ticket in (nameless, nameless, again):
        tracker.done(ticket)
    assert (tracker.in_flight, committable(tracker)) == (0, 2)


@pytest.mark.defect('S8')
def test_ids_are_compared_and_nothing_else():
    tracker = Tracker(None)
    ids = [0, -5, 10**40, '0', 'text', '']
    for each in ids:
        ticket = arrived(tracker, each, None)
        tracker.done(ticket)
        assert tracker.committable == Mark(each, None)
        assert tracker.received == each


def test_done_twice_is_done_once():
    tracker = Tracker(None)
    one, two = arrive(tracker, 1, 2)
    tracker.done(one)
    tracker.done(one)
    assert (committable(tracker), tracker.in_flight) == (1, 1)
    tracker.done(two)
    tracker.done(two)
    assert (committable(tracker), tracker.in_flight) == (2, 0)


def test_a_position_says_when_its_event_was_created():
    tracker = Tracker(Position(1, 10.0, 99.0, 0.0))
    assert tracker.committable == Mark(1, 10.0)
    tracker.done(arrived(tracker, 2, 12.5))
    assert tracker.committable == Mark(2, 12.5)
    assert tracker.committable is tracker.committable


def test_a_mark_without_an_event_is_no_position():
    tracker = Tracker(Position(None, None, 5.0, 5.0))
    assert (tracker.received, tracker.committable) == (None, None)


def test_the_committed_event_itself_is_not_run_again():
    assert arrive(Tracker(Position(7, None, 0.0, 0.0)), 7) == [None]


def test_a_replay_from_the_start_drops_what_is_known_and_keeps_the_position():
    tracker = Tracker(None)
    one, two, three = arrive(tracker, 1, 2, 3)
    tracker.done(one)
    tracker.done(three)
    assert arrive(tracker, 1, 2, 3) == [None, None, None]
    assert committable(tracker) == 1
    (four,) = arrive(tracker, 4)
    tracker.done(two)
    assert committable(tracker) == 3
    tracker.done(four)
    assert committable(tracker) == 4


# --- the command lane ------------------------------------------------------------------------------


def test_no_position_passes_an_event_of_the_command_lane_until_the_poll_is_answered():
    tracker = Tracker(None)
    tracker.done(*arrive(tracker, 1))
    tracker.done(*arrive(tracker, 3, provisional=True))
    assert (tracker.received, committable(tracker)) == (1, 1)
    tracker.poll_answered()
    assert (tracker.received, committable(tracker)) == (3, 3)


def test_a_lost_poll_resumes_before_the_first_event_of_the_command_lane():
    tracker = Tracker(None)
    tracker.done(*arrive(tracker, 1))
    arrive(tracker, 3, 4, provisional=True)
    tracker.poll_lost()
    assert (tracker.received, committable(tracker)) == (1, 1)


def test_events_of_a_lost_poll_come_before_those_that_had_overtaken_them():
    tracker = Tracker(None)
    (three,) = arrive(tracker, 3, provisional=True)
    tracker.poll_lost()
    tracker.done(three)
    (two,) = arrive(tracker, 2)
    assert arrive(tracker, 3) == [None]  # done already
    assert (tracker.received, committable(tracker)) == (3, None)
    tracker.done(two)
    assert committable(tracker) == 3


def test_an_overtaking_event_that_is_still_in_flight_takes_its_place_when_it_comes_again():
    tracker = Tracker(None)
    (three,) = arrive(tracker, 3, provisional=True)
    tracker.poll_lost()
    (two,) = arrive(tracker, 2)
    assert arrive(tracker, 3) == [None]
    (four,) = arrive(tracker, 4)
    tracker.done(two)
    tracker.done(four)
    assert committable(tracker) == 2
    tracker.done(three)
    assert committable(tracker) == 4


def test_an_event_that_has_taken_its_place_keeps_it():
    tracker = Tracker(None)
    tracker.done(*arrive(tracker, 3, provisional=True))
    tracker.poll_lost()
    tracker.done(*arrive(tracker, 2))
    arrive(tracker, 3)
    tracker.done(*arrive(tracker, 4))
    arrive(tracker, 3)
    assert committable(tracker) == 4


def test_a_re_delivery_on_the_command_lane_moves_nothing_before_the_poll_is_answered_either():
    tracker = Tracker(None)
    arrive(tracker, 1)
    arrive(tracker, 3, provisional=True)
    tracker.poll_lost()
    arrive(tracker, 3, provisional=True)
    assert tracker.received == 1
    tracker.poll_lost()
    assert tracker.received == 1
    arrive(tracker, 2, 3)
    assert tracker.received == 3


def test_events_of_both_lanes_are_done_together_because_their_order_is_unknown():
    tracker = Tracker(None)
    (three,) = arrive(tracker, 3, provisional=True)
    (two,) = arrive(tracker, 2)  # of the poll
    tracker.done(three)
    tracker.poll_answered()
    assert committable(tracker) is None  # 2 may come before 3
    (four,) = arrive(tracker, 4)
    tracker.done(four)
    assert committable(tracker) is None
    tracker.done(two)
    assert committable(tracker) == 4


def test_events_of_the_command_lane_alone_are_in_order_once_the_poll_is_answered():
    tracker = Tracker(None)
    one, two = arrive(tracker, 1, 2, provisional=True)
    tracker.poll_answered()
    tracker.done(one)
    assert committable(tracker) == 1
    tracker.done(two)
    assert committable(tracker) == 2


def test_provisional_events_of_both_lanes_are_done_together_as_well():
    tracker = Tracker(None)
    (three,) = arrive(tracker, 3, provisional=True)
    (two,) = arrive(tracker, 2, provisional=True)
    tracker.mixed()
    tracker.done(three)
    tracker.poll_answered()
    assert committable(tracker) is None
    tracker.done(two)
    assert committable(tracker) == 2


def test_where_nothing_is_provisional_nothing_is_mixed():
    tracker = Tracker(None)
    one, _ = arrive(tracker, 1, 2)
    tracker.mixed()
    tracker.done(one)
    assert committable(tracker) == 1


def test_a_poll_that_brought_nothing_out_of_turn_may_fail_without_a_trace():
    tracker = Tracker(None)
    (one,) = arrive(tracker, 1)
    tracker.poll_lost()
    tracker.done(one)
    assert (tracker.received, committable(tracker)) == (1, 1)


def test_a_jump_to_new_events_leaves_nothing_unfinished_behind():
    tracker = Tracker(None)
    (three,) = arrive(tracker, 3, provisional=True)
    tracker.poll_lost()
    tracker.skipped_ahead()
    (nine,) = arrive(tracker, 9)
    tracker.done(nine)
    assert committable(tracker) is None
    tracker.done(three)
    assert committable(tracker) == 9


# --- bounds ----------------------------------------------------------------------------------------


def test_as_many_done_ids_are_remembered_as_the_window_is_wide():
    tracker = Tracker(None, window=3)
    for ticket in arrive(tracker, 1, 2, 3, 4):
        tracker.done(ticket)
    assert arrive(tracker, 2, 3, 4) == [None, None, None]
    assert arrive(tracker, 1) != [None]


def test_without_a_window_only_what_is_in_flight_is_known():
    tracker = Tracker(Position(0, None, 0.0, 0.0), window=0)
    (one,) = arrive(tracker, 1)
    assert arrive(tracker, 1) == [None]
    tracker.done(one)
    assert arrive(tracker, 0, 1) != [None, None]


def size_of(root):
    """Bytes of all that is reachable from an object, classes apart."""
    seen, queue = {}, [root]
    while queue:
        each = queue.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen[id(each)] = sys.getsizeof(each)
        queue += gc.get_referents(each)
    return sum(seen.values())


@pytest.mark.parametrize('provisional', [False, True])
def test_memory_does_not_grow_with_what_is_done_behind_an_unfinished_event(provisional):
    sizes = []
    for count in (1_000, 20_000):
        tracker = Tracker(None, window=100)
        tickets = [arrived(tracker, 0, 0.0, provisional=provisional)]
        for number in range(1, count):
            tracker.done(arrived(tracker, number, 0.0, provisional=provisional))
        sizes.append(size_of(tracker))
        assert tracker.in_flight == 1
        del tickets
    assert sizes[1] < sizes[0] * 1.2


def test_memory_does_not_grow_with_lost_polls():
    sizes = []
    for count in (200, 5_000):
        tracker = Tracker(None, window=100)
        arrive(tracker, 0)
        for number in range(1, count):
            tracker.done(arrived(tracker, number, 0.0, provisional=True))
            tracker.poll_lost()
            arrived(tracker, number, 0.0)
        sizes.append(size_of(tracker))
    assert sizes[1] < sizes[0] * 1.2


# --- a naive list ----------------------------------------------------------------------------------


class NaiveTracker:
    """All that has ever arrived, in a list; everything is looked up by going through it."""

    def __init__(self):
        self.line = []  # [id, group]
        self.done = set()
        self.open = set()
        self.lost = set()
        self.groups = []  # of each: 'open', 'answered'; whether events of the poll are in it
        self.group = None
        self.received = self.latest = None

    def arrived(self, replay_id, provisional):
        if provisional and self.group is None:
            self.group = {'answered': False, 'mixed': False}
        elif not provisional and self.group is not None:
            self.group['mixed'] = True
        self.latest = replay_id
        if self.group is None:
            self.received = replay_id
        known = replay_id in self.open | self.done
        if not known or replay_id in self.lost:
            self.line.append((replay_id, self.group))
            self.lost.discard(replay_id)
        if not known:
            self.open.add(replay_id)
        return not known

    def finish(self, replay_id):
        self.open.discard(replay_id)
        self.done.add(replay_id)

    def mixed(self):
        if self.group is not None:
            self.group['mixed'] = True

    def poll_answered(self):
        if self.group is not None:
            self.group['answered'] = True
        self.group, self.received = None, self.latest

    def poll_lost(self):
        if self.group is not None:
            self.lost |= {each for each, group in self.line if group is self.group}
            self.line = [entry for entry in self.line if entry[1] is not self.group]
        self.group, self.latest = None, self.received

    @property
    def committable(self):
        last = None
        for replay_id, group in self.line:
            if replay_id in self.open:
                break
            if group is not None and not self.passable(group):
                break
            last = replay_id
        return last

    def passable(self, group):
        inside = [each for each, other in self.line if other is group]
        return group['answered'] and not (group['mixed'] and any(each in self.open for each in inside))


class TrackerAndList(RuleBasedStateMachine):
    """Anything in any order, also what no server would do."""

    def __init__(self):
        super().__init__()
        self.tracker = Tracker(None)
        self.naive = NaiveTracker()
        self.tickets = {}
        self.count = 0

    @rule(provisional=st.booleans(), again=st.one_of(st.none(), st.integers(0, 30)))
    def arrive(self, provisional, again):
        if again is None or again >= self.count:
            self.count += 1
            replay_id = self.count
        else:
            replay_id = again + 1
        ticket = arrived(self.tracker, replay_id, None, provisional=provisional)
        assert (ticket is not None) == self.naive.arrived(replay_id, provisional)
        if ticket is not None:
            self.tickets[replay_id] = ticket

    @precondition(lambda self: self.naive.open)
    @rule(data=st.data())
    def finish(self, data):
        replay_id = data.draw(st.sampled_from(sorted(self.naive.open)))
        self.tracker.done(self.tickets[replay_id])
        self.naive.finish(replay_id)

    @rule()
    def mixed(self):
        self.tracker.mixed()
        self.naive.mixed()

    @rule()
    def poll_answered(self):
        self.tracker.poll_answered()
        self.naive.poll_answered()

    @rule()
    def poll_lost(self):
        self.tracker.poll_lost()
        self.naive.poll_lost()

    @invariant()
    def agree(self):
        assert committable(self.tracker) == self.naive.committable
        assert self.tracker.received == self.naive.received
        assert self.tracker.in_flight == len(self.naive.open)


TestTrackerAndList = TrackerAndList.TestCase
TestTrackerAndList.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


# --- a server --------------------------------------------------------------------------------------


class TrackerAndServer(RuleBasedStateMachine):
    """A channel with an order of its own, two lanes, processes that end. Ids are the places in its log."""

    @initialize()
    def begin(self):
        self.published = 0
        self.handled = set()
        self.start_process(None)

    def start_process(self, committed):
        self.tracker = Tracker(None if committed is None else Position(committed, None, 0.0, 0.0))
        self.open = {}
        self.taken_on = set()
        self.sent = 0 if committed is None else committed  # the last that the server sent
        self.in_transit = []  # on the poll, and not here yet

    @rule(count=st.integers(1, 4))
    def publish(self, count):
        self.published += count

    @rule(count=st.integers(1, 3))
    def send_on_poll(self, count):
        for _ in range(min(count, self.published - self.sent)):
            self.sent += 1
            self.in_transit.append(self.sent)

    @rule(count=st.integers(1, 3))
    def send_on_command_lane(self, count):
        for _ in range(min(count, self.published - self.sent)):
            self.sent += 1
            self.receive(self.sent, provisional=True)

    @precondition(lambda self: self.in_transit)
    @rule(count=st.integers(1, 3))
    def bring(self, count):
        for each in self.in_transit[:count]:
            self.receive(each, provisional=False)
        del self.in_transit[:count]

    @rule()
    def poll_answered(self):
        self.bring(len(self.in_transit))
        self.tracker.poll_answered()

    @rule()
    def poll_lost(self):
        self.tracker.poll_lost()
        self.in_transit.clear()
        self.sent = self.tracker.received or 0

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def finish(self, data):
        replay_id = data.draw(st.sampled_from(sorted(self.open)))
        self.tracker.done(self.open.pop(replay_id))
        self.handled.add(replay_id)

    @rule()
    def crash(self):
        self.start_process(committable(self.tracker))

    def receive(self, replay_id, provisional):
        ticket = arrived(self.tracker, replay_id, None, provisional=provisional)
        if ticket is not None:
            assert replay_id not in self.taken_on, 'run twice in one process'
            self.taken_on.add(replay_id)
            self.open[replay_id] = ticket

    @invariant()
    def nothing_committable_is_unhandled(self):
        assert set(range(1, (committable(self.tracker) or 0) + 1)) <= self.handled

    @invariant()
    def a_poll_that_fails_now_loses_nothing(self):
        assert set(range(1, (self.tracker.received or 0) + 1)) <= self.handled | self.taken_on

    def teardown(self):
        if not hasattr(self, 'tracker'):
            return
        self.poll_lost()
        while self.sent < self.published:
            self.send_on_poll(3)
            self.poll_answered()
        for replay_id in list(self.open):
            self.tracker.done(self.open.pop(replay_id))
            self.handled.add(replay_id)
        assert self.handled == set(range(1, self.published + 1)), 'lost'
        assert self.tracker.in_flight == 0
        if self.taken_on:
            assert committable(self.tracker) is not None


TestTrackerAndServer = TrackerAndServer.TestCase
TestTrackerAndServer.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
