"""A channel's work under a server that loses polls, handlers that fail and processes that end.

What must hold is said in words of the domain and looked up in plain lists: what was published, what became
of it for each handler, what runs now.
"""

import gc
import sys

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.replay.position import Position
from nameko_salesforce.streaming.effects import DeadLettered, Dropped, HandlerStopped, Skipped
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.retry import OnFailure, Retry
from nameko_salesforce.streaming.work import ChannelWork

ALL = 'all records'
FAILED = Failed(ValueError())

HANDLERS = st.builds(
    HandlerOptions,
    name=st.just(''),
    order=st.sampled_from(Order),
    batch=st.sampled_from([None, None, 1, 3, 8]),
    retry=st.builds(Retry, attempts=st.integers(1, 3), on_failure=st.sampled_from(OnFailure)),
)
ABOUT = st.one_of(st.lists(st.sampled_from('ABC'), max_size=2).map(tuple), st.just(ALL))


def change(number, about):
    """The event of that number; its id is its place in the channel's log."""
    header = {'changeType': 'UPDATE', 'recordIds': list(about)}
    if about == ALL:
        header = {'changeType': 'GAP_OVERFLOW', 'recordIds': ['000000000000000AAA']}
    return Delivery('/data/X', {'payload': {'ChangeEventHeader': header}, 'event': {'replayId': number}})


def number_of(event):
    return event.data['event']['replayId']


def stand_against(order, one, other):
    """Whether events about these may not run side by side."""
    if order is Order.NONE:
        return False
    return order is Order.CHANNEL or ALL in (one, other) or bool(set(one) & set(other))


class Process:
    """What one process knows, and what is seen of it."""

    def __init__(self, handlers, committed):
        position = None if committed is None else Position(committed, None, 0.0, 0.0)
        self.work = ChannelWork(handlers, position, lambda: 0.5)
        self.taken_on = []  # in the order of arrival
        self.settled = {each.name: set() for each in handlers}  # handled, skipped, or a letter written
        self.runs = []
        self.letters = []
        self.stopped = set()


class WorkAndWorld(RuleBasedStateMachine):
    """Everything that can happen to a channel in service."""

    @initialize(handlers=st.lists(HANDLERS, min_size=1, max_size=2))
    def begin(self, handlers):
        self.handlers = [
            HandlerOptions(name=name, order=each.order, batch=each.batch, retry=each.retry)
            for name, each in zip('ab', handlers, strict=False)
        ]
        self.options = {each.name: each for each in self.handlers}
        self.now = 0.0
        self.about = {}  # number -> what it is about
        self.poison = set()
        self.kept = {
            each.name: set() for each in self.handlers
        }  # handled, skipped, or a letter stored: for good
        self.start_process(None)

    def start_process(self, committed):
        self.process = Process(self.handlers, committed)
        self.sent = committed or 0
        self.in_transit = []

    # --- the server ------------------------------------------------------------------------------

    @rule(
        events=st.lists(
            st.tuples(ABOUT, st.sampled_from([False, False, False, True])), min_size=1, max_size=5
        )
    )
    def publish(self, events):
        for about, poison in events:
            number = len(self.about) + 1
            self.about[number] = about
            if poison:
                self.poison.add(number)

    @rule(count=st.integers(1, 5))
    def send_on_poll(self, count):
        for _ in range(min(count, len(self.about) - self.sent)):
            self.sent += 1
            self.in_transit.append(self.sent)

    @rule(count=st.integers(1, 3))
    def send_on_command_lane(self, count):
        for _ in range(min(count, len(self.about) - self.sent)):
            self.sent += 1
            self.receive(self.sent, provisional=True)

    @rule()
    def poll_answered(self):
        for number in self.in_transit:
            self.receive(number, provisional=False)
        self.in_transit = []
        self.process.work.poll_answered()

    @rule(arrived=st.integers(0, 2))
    def poll_lost(self, arrived):
        for number in self.in_transit[:arrived]:
            self.receive(number, provisional=False)
        self.in_transit = []
        self.process.work.poll_lost()
        self.sent = self.process.work.received or 0

    @rule(back=st.integers(1, 6))
    def send_again(self, back):
        """As after a resume from an older id."""
        if not self.in_transit:
            self.sent = max(0, self.sent - back)

    def receive(self, number, provisional):
        process = self.process
        effects = process.work.arrived(
            [change(number, self.about[number])], self.now, provisional=provisional
        )
        if any(isinstance(each, Dropped) for each in effects):
            assert number in process.taken_on or number == self.began_at()
        else:
            assert number not in process.taken_on, 'run twice in one process'
            process.taken_on.append(number)

    def began_at(self):
        return self.committed

    committed = None

    # --- handlers --------------------------------------------------------------------------------

    @rule(count=st.integers(1, 5))
    def start_runs(self, count):
        for _ in range(count):
            run = self.process.work.next(self.now)
            if run is None:
                break
            self.check_start(run)
            self.process.runs.append(run)

    def check_start(self, run):
        process, options = self.process, self.options[run.handler]
        assert run.handler not in process.stopped, 'a stopped handler got a run'
        mine = [number_of(each) for each in run.events]
        places = [process.taken_on.index(number) for number in mine]
        assert places == sorted(places), 'a batch out of order'
        assert len(mine) <= (options.batch or 1)
        running = [
            number_of(each) for other in process.runs if other.handler == run.handler for each in other.events
        ]
        assert not set(mine) & (process.settled[run.handler] | set(running)), 'run twice at once'
        for number, place in zip(mine, places, strict=True):
            for earlier in process.taken_on[:place]:
                if stand_against(options.order, self.about[earlier], self.about[number]):
                    assert earlier in process.settled[run.handler] or earlier in mine, 'out of order'
            for other in running:
                assert not stand_against(options.order, self.about[other], self.about[number]), 'side by side'

    @precondition(lambda self: self.process.runs)
    @rule(
        which=st.integers(0, 20),
        fate=st.sampled_from([None, None, None, FAILED, Ended.LOST, Ended.TIMED_OUT, Ended.NOT_RUN]),
    )
    def end_run(self, which, fate):
        self.end(self.process.runs.pop(which % len(self.process.runs)), fate)

    def end(self, run, fate=None):
        """Without a fate it depends on the events alone."""
        process, name = self.process, run.handler
        numbers = {number_of(each) for each in run.events}
        outcome = fate or (FAILED if numbers & self.poison else Ended.HANDLED)
        if outcome is Ended.HANDLED:
            process.settled[name] |= numbers
            self.kept[name] |= numbers
        for effect in [*process.work.ended(run, outcome, self.now), *process.work.moved()]:
            if isinstance(effect, Skipped):
                process.settled[name].add(number_of(effect.event))
                self.kept[name].add(number_of(effect.event))
            elif isinstance(effect, DeadLettered):
                process.settled[name].add(number_of(effect.event))
                process.letters.append(effect)
            elif isinstance(effect, HandlerStopped):
                process.stopped.add(name)
            if isinstance(effect, Skipped | DeadLettered | HandlerStopped):
                assert len(run.events) == 1, 'given up in company'
                assert outcome is not Ended.NOT_RUN
                assert effect.attempts >= self.options[name].retry.attempts

    @precondition(lambda self: self.process.letters)
    @rule()
    def store_letter(self):
        letter = self.process.letters.pop(0)
        self.kept[letter.handler].add(number_of(letter.event))
        self.process.work.letter_stored(letter)

    @rule()
    def time_passes(self):
        if self.process.work.deadline is not None:
            self.now = max(self.now, self.process.work.deadline)

    @rule()
    def resume(self):
        self.process.work.resume()
        self.process.stopped.clear()

    @rule()
    def crash(self):
        mark = self.process.work.committable
        self.committed = None if mark is None else mark.replay_id
        self.start_process(self.committed)

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def nothing_committable_is_unhandled(self):
        mark = self.process.work.committable
        if mark is not None:
            for kept in self.kept.values():
                assert set(range(1, mark.replay_id + 1)) <= kept

    @invariant()
    def nothing_vanishes(self):
        process = self.process
        found = process.work.numbers()
        open_ones = sum(len(set(process.taken_on) - settled) for settled in process.settled.values())
        assert found.waiting + found.in_flight + found.retrying == open_ones
        assert found.in_flight == sum(len(run.events) for run in process.runs)
        assert found.letters == len(process.letters)
        assert set(found.stopped) == process.stopped

    @invariant()
    def memory_is_bounded_by_what_is_unfinished(self):
        process = self.process
        unsettled = set().union(*(set(process.taken_on) - settled for settled in process.settled.values()))
        lettered = {number_of(letter.event) for letter in process.letters}
        assert process.work.unfinished == len(unsettled | lettered)
        for handling in process.work._handlings.values():
            line = handling._line
            assert line.waiting + line.taken <= process.work.unfinished
            assert len(line._tails) <= 2 * (line.waiting + line.taken)
            assert len(line._keyless) <= line.waiting + line.taken

    def teardown(self):
        """The faults cease: all that was published is handled at last, or told of."""
        if not hasattr(self, 'process'):
            return
        self.poll_lost(0)
        for _ in range(10_000):
            self.send_on_poll(5)
            self.poll_answered()
            self.resume()
            self.start_runs(5)
            while self.process.runs:
                self.poison -= self.poison_of_stops()
                self.end(self.process.runs.pop())
            while self.process.letters:
                self.store_letter()
            self.time_passes()
            if self.sent == len(self.about) and not self.process.work.unfinished:
                break
        else:
            raise AssertionError(f'never done: {self.process.work.numbers()}')
        for kept in self.kept.values():
            assert kept == set(self.about), 'lost'
        if self.about:
            assert self.process.work.committable is not None
        self.nothing_committable_is_unhandled()
        self.memory_is_bounded_by_what_is_unfinished()

    def poison_of_stops(self):
        """Somebody mends what has stopped a handler."""
        stops = {each.name for each in self.handlers if each.retry.on_failure is OnFailure.STOP}
        return {number_of(each) for run in self.process.runs if run.handler in stops for each in run.events}


TestWorkAndWorld = WorkAndWorld.TestCase
TestWorkAndWorld.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


# --- memory ----------------------------------------------------------------------------------------


def size_of(root):
    """Bytes of all that is reachable from an object, classes and functions apart."""
    seen, queue = {}, [root]
    while queue:
        each = queue.pop()
        if id(each) in seen or isinstance(each, type) or callable(each):
            continue
        seen[id(each)] = sys.getsizeof(each)
        queue += gc.get_referents(each)
    return sum(seen.values())


@pytest.mark.parametrize('batch', [None, 50])
def test_memory_does_not_grow_with_the_events_that_are_done(batch):
    sizes = []
    for count in (2_000, 40_000):
        work = ChannelWork([HandlerOptions(name='handle', batch=batch)], None, lambda: 0.5, window=100)
        work.arrived([change(0, ('0',))], 0.0)
        first = work.next(1.0)  # never ends
        for start in range(1, count, 100):
            events = [
                change(number, (f'{number % 500}',) if number % 500 else ('1',))
                for number in range(start, start + 100)
            ]
            work.arrived(events, 0.0)
            while (run := work.next(1.0)) is not None:
                work.ended(run, Ended.HANDLED, 1.0)
                work.moved()
        assert (work.unfinished, len(first.events)) == (1, 1)
        sizes.append(size_of(work))
    assert sizes[1] < sizes[0] * 1.1
