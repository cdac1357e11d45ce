"""What becomes of the events of a channel, from their arrival to the position."""

import pytest

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.tracker import Mark
from nameko_salesforce.streaming.effects import (
    DeadLettered,
    Dropped,
    HandlerStopped,
    Skipped,
    Unordered,
)
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.retry import OnFailure, Retry
from nameko_salesforce.streaming.work import ChannelWork

CHANNEL = '/topic/Contacts'
CREATED = '2016-03-29T16:40:08.208Z'  # every event here
FAILED = Failed(ValueError('no'))


def event(number, record=None):
    data = {'event': {'replayId': number, 'createdDate': CREATED}}
    if record is not None:
        data['sobject'] = {'Id': record}
    return Delivery(CHANNEL, data)


def number_of(delivery):
    return delivery.data['event']['replayId']


def numbers(events):
    return [number_of(each) for each in events]


class Stage:
    """A channel's work with a clock; jitter takes nothing away."""

    def __init__(self, *handlers, committed=None, **options):
        handlers = handlers or (HandlerOptions(name='handle', **options),)
        self.work = ChannelWork(handlers, committed, lambda: 0.0)
        self.now = 100.0
        self.effects = []

    def arrive(self, *events, provisional=False):
        events = [event(each) if isinstance(each, int) else each for each in events]
        self.effects += self.work.arrived(events, self.now, provisional=provisional)

    def runs(self):
        """All that can be run now."""
        found = []
        while (run := self.work.next(self.now)) is not None:
            found.append(run)
        return found

    def run(self):
        """The only run there is."""
        (run,) = self.runs()
        return run

    def end(self, run, outcome=Ended.HANDLED):
        self.effects += [*self.work.ended(run, outcome, self.now), *self.work.moved()]

    def fail(self, run):
        self.end(run, FAILED)

    def wait(self):
        """Until time brings a run."""
        assert self.work.deadline is not None
        self.now = max(self.now, self.work.deadline)

    def attempts(self, outcome=FAILED):
        """Let the only run fail until it is given up; how often it ran, and the pauses."""
        pauses = []
        while True:
            before = self.now
            self.end(self.run(), outcome)
            if self.work.deadline is None:
                return pauses
            self.wait()
            pauses.append(self.now - before)

    def of(self, kind):
        return [each for each in self.effects if isinstance(each, kind)]

    @property
    def position(self):
        mark = self.work.committable
        return None if mark is None else mark.replay_id


# --- done ------------------------------------------------------------------------------------------


@pytest.mark.defect('S1')
def test_handlers_that_end_in_another_order_commit_in_the_order_of_arrival():
    stage = Stage()
    stage.arrive(1, 2, 3)
    one, two, three = stage.runs()
    stage.end(two)
    stage.end(three)
    assert stage.effects == []
    stage.end(one)
    assert stage.effects == [Mark(3, CREATED)]


@pytest.mark.defect('S2')
def test_the_position_stays_before_a_failed_event_until_a_policy_disposes_of_it():
    stage = Stage(retry=Retry(attempts=1, on_failure=OnFailure.SKIP))
    stage.arrive(1, 2)
    one, two = stage.runs()
    stage.end(two)
    assert stage.position is None
    stage.fail(one)
    assert stage.position == 2


@pytest.mark.defect('S3')
def test_an_event_that_comes_again_is_dropped_and_says_so():
    stage = Stage()
    stage.arrive(1, 2)
    one, _ = stage.runs()
    stage.end(one)
    again = [event(1), event(2)]
    stage.arrive(*again)
    assert stage.of(Dropped) == [Dropped(each) for each in again]
    assert stage.runs() == []
    assert stage.work.numbers().dropped == 2


@pytest.mark.defect('S7')
def test_an_event_is_done_when_every_handler_of_the_channel_is_done_with_it():
    stage = Stage(HandlerOptions(name='a'), HandlerOptions(name='b'))
    stage.arrive(1)
    first, second = stage.runs()
    assert {first.handler, second.handler} == {'a', 'b'}
    stage.end(first)
    assert stage.position is None
    stage.end(second)
    assert stage.position == 1


@pytest.mark.defect('S8')
def test_an_event_without_an_id_is_handled_and_not_committed():
    stage = Stage()
    stage.arrive(Delivery(CHANNEL, {'payload': 'hello'}), Delivery(CHANNEL, None), 0)
    for run in stage.runs():
        stage.end(run)
    assert stage.work.numbers().handled == 3
    assert stage.of(Mark) == [Mark(0, CREATED)]


def test_expected_exceptions_count_as_handled():
    stage = Stage(retry=Retry(expected=(ValueError,)))
    stage.arrive(1)
    stage.fail(stage.run())
    assert stage.position == 1
    assert stage.work.numbers().handled == 1


def test_a_second_word_about_a_run_is_ignored():
    stage = Stage()
    stage.arrive(1, 2)
    one, _ = stage.runs()
    stage.fail(one)
    stage.end(one)
    stage.end(one, Ended.LOST)
    stage.wait()
    retry = stage.run()
    assert (numbers(retry.events), retry.attempt) == ([1], 2)
    assert stage.work.numbers().in_flight == 2


def test_a_position_goes_on_from_where_the_process_began():
    stage = Stage(committed=Position(5, None, 0.0, 0.0))
    assert (stage.work.received, stage.position) == (5, 5)
    stage.arrive(5, 6)
    stage.end(stage.run())
    assert stage.of(Mark) == [Mark(6, CREATED)]


# --- order -----------------------------------------------------------------------------------------


@pytest.mark.defect('S15')
def test_a_retry_holds_its_record_and_no_other():
    stage = Stage()
    stage.arrive(event(1, 'A'), event(2, 'A'), event(3, 'B'))
    one, three = stage.runs()
    stage.fail(one)
    stage.end(three)
    assert stage.runs() == []
    stage.wait()
    again = stage.run()
    assert numbers(again.events) == [1]
    stage.end(again)
    assert numbers(stage.run().events) == [2]


def test_handlers_of_one_channel_may_differ_in_order():
    stage = Stage(
        HandlerOptions(name='all', order=Order.NONE), HandlerOptions(name='one', order=Order.CHANNEL)
    )
    stage.arrive(1, 2, 3)
    assert sorted(run.handler for run in stage.runs()) == ['all', 'all', 'all', 'one']


def test_handlers_of_one_channel_get_their_turns():
    stage = Stage(HandlerOptions(name='a'), HandlerOptions(name='b'), HandlerOptions(name='c'))
    stage.arrive(1, 2)
    assert [run.handler for run in stage.runs()] == ['a', 'b', 'c', 'a', 'b', 'c']


def test_a_key_that_cannot_be_had_is_reported_and_the_event_handled():
    stage = Stage(key=lambda data: data['payload']['Key__c'])
    odd = event(1)
    stage.arrive(odd)
    (problem,) = stage.of(Unordered)
    assert (problem.handler, problem.event) == ('handle', odd)
    assert isinstance(problem.error, KeyError)
    stage.end(stage.run())
    assert stage.position == 1


# --- failures --------------------------------------------------------------------------------------


def test_an_event_that_always_fails_is_tried_three_times_with_growing_pauses():
    stage = Stage()
    stage.arrive(1)
    assert stage.attempts() == [1.0, 4.0]
    (letter,) = stage.of(DeadLettered)
    assert (letter.handler, number_of(letter.event), letter.outcome) == ('handle', 1, FAILED)
    assert (letter.attempts, letter.first_failed, letter.last_failed) == (3, 100.0, 105.0)


def test_an_attempt_says_its_number_and_how_long_it_may_take():
    stage = Stage(retry=Retry(timeout=30.0))
    stage.arrive(1)
    first = stage.run()
    stage.end(first, Ended.TIMED_OUT)
    stage.wait()
    assert [(run.attempt, run.timeout) for run in (first, stage.run())] == [(1, 30.0), (2, 30.0)]


def test_the_position_passes_a_dead_letter_once_it_is_stored():
    stage = Stage(retry=Retry(attempts=1))
    stage.arrive(event(1, 'A'), event(2, 'A'))
    stage.fail(stage.run())
    (letter,) = stage.of(DeadLettered)
    stage.end(stage.run())  # the record's next event does not wait for the store
    assert (stage.position, stage.work.numbers().letters) == (None, 1)
    assert stage.work.letter_stored(letter) == (Mark(2, CREATED),)
    assert stage.work.letter_stored(letter) == ()
    assert stage.work.numbers().letters == 0


def test_a_letter_counts_once_however_often_it_is_stored():
    stage = Stage(HandlerOptions(name='a', retry=Retry(attempts=1)), HandlerOptions(name='b'))
    stage.arrive(1)
    a, b = stage.runs()
    stage.fail(a)
    (letter,) = stage.of(DeadLettered)
    stage.work.letter_stored(letter)
    stage.work.letter_stored(letter)
    assert stage.position is None
    stage.end(b)
    assert stage.position == 1


@pytest.mark.parametrize('outcome', [Ended.LOST, Ended.TIMED_OUT, FAILED])
def test_a_worker_that_ends_without_a_result_has_failed_like_one_that_raises(outcome):
    stage = Stage()
    stage.arrive(1)
    assert len(stage.attempts(outcome)) == 2
    (letter,) = stage.of(DeadLettered)
    assert letter.outcome is outcome
    assert stage.position is None


def test_a_worker_that_did_not_begin_costs_no_attempt():
    stage = Stage(retry=Retry(attempts=1))
    stage.arrive(1, 2)
    one, two = stage.runs()
    stage.end(two, Ended.NOT_RUN)
    stage.end(one, Ended.NOT_RUN)
    again = stage.runs()
    assert [(numbers(run.events), run.attempt) for run in again] == [([1], 1), ([2], 1)]
    assert stage.effects == []


def test_a_handler_that_skips_says_which_event():
    stage = Stage(retry=Retry(attempts=2, on_failure=OnFailure.SKIP))
    one = event(1)
    stage.arrive(one)
    stage.attempts()
    assert stage.effects == [Skipped('handle', one, FAILED, 2), Mark(1, CREATED)]


def test_a_handler_that_stops_takes_nothing_more_and_the_position_stays_before_the_event():
    stage = Stage(retry=Retry(attempts=1, on_failure=OnFailure.STOP))
    stage.arrive(1, 2, 3)
    one = stage.work.next(stage.now)
    two = stage.work.next(stage.now)
    stage.fail(one)
    (stopped,) = stage.of(HandlerStopped)
    assert (number_of(stopped.event), stopped.outcome) == (1, FAILED)
    stage.end(two)
    stage.arrive(4)
    assert (stage.runs(), stage.work.deadline) == ([], None)
    assert stage.position is None
    assert stage.work.numbers().stopped == {'handle': FAILED}


def test_a_resumed_handler_begins_with_the_event_that_failed_and_all_its_attempts():
    stage = Stage(retry=Retry(attempts=2, on_failure=OnFailure.STOP))
    stage.arrive(event(1, 'A'), event(2, 'A'))
    stage.attempts()
    stage.work.resume()
    assert stage.work.numbers().stopped == {}
    again = stage.run()
    assert (numbers(again.events), again.attempt) == ([1], 3)
    stage.fail(again)
    assert len(stage.of(HandlerStopped)) == 1
    stage.wait()
    stage.end(stage.run())
    stage.end(stage.run())
    assert stage.position == 2


def test_a_handler_stops_once_and_runs_all_again_that_failed():
    stage = Stage(retry=Retry(attempts=1, on_failure=OnFailure.STOP))
    stage.arrive(1, 2, 3)
    one, two, _ = stage.runs()
    stage.fail(one)
    stage.fail(two)
    assert [number_of(each.event) for each in stage.of(HandlerStopped)] == [1]
    stage.work.resume()
    assert numbers([run.events[0] for run in stage.runs()]) == [1, 2]


def test_another_handler_of_the_channel_goes_on_when_one_stops():
    stage = Stage(
        HandlerOptions(name='a', retry=Retry(attempts=1, on_failure=OnFailure.STOP)), HandlerOptions(name='b')
    )
    stage.arrive(1)
    a, b = stage.runs()
    stage.fail(a)
    stage.end(b)
    stage.arrive(2)
    assert [run.handler for run in stage.runs()] == ['b']
    assert stage.position is None


# --- batches ---------------------------------------------------------------------------------------


def batches(**options):
    return Stage(**{'batch': 4, 'batch_wait': 0.2, 'order': Order.NONE, **options})


def test_a_batch_is_full_at_once_or_waits_for_more():
    stage = batches()
    stage.arrive(1, 2, 3)
    assert (stage.runs(), stage.work.deadline) == ([], 100.2)
    stage.arrive(4, 5)
    assert numbers(stage.run().events) == [1, 2, 3, 4]
    stage.wait()
    assert numbers(stage.run().events) == [5]
    assert (stage.runs(), stage.work.deadline) == ([], None)


def test_a_batch_of_one_record_is_full_too():
    stage = batches(order=Order.RECORD)
    stage.arrive(*(event(each, 'A') for each in range(1, 7)))
    first = stage.run()
    assert numbers(first.events) == [1, 2, 3, 4]
    stage.end(first)
    stage.wait()
    assert numbers(stage.run().events) == [5, 6]


def test_a_batch_that_succeeds_is_done_as_a_whole():
    stage = batches()
    stage.arrive(1, 2, 3, 4)
    stage.end(stage.run())
    assert stage.effects == [Mark(4, CREATED)]
    assert stage.work.numbers().handled == 4


def test_a_failed_batch_is_tried_again_in_halves_down_to_the_poison_event():
    stage = batches(batch=8)
    stage.arrive(*range(1, 9))
    tried = []
    while not stage.of(DeadLettered):
        for run in stage.runs():
            tried.append(numbers(run.events))
            stage.end(run, FAILED if 3 in tried[-1] else Ended.HANDLED)
        if not stage.of(DeadLettered):
            stage.wait()
    assert tried == [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1, 2, 3, 4], [5, 6, 7, 8],
        [1, 2], [3, 4],
        [3], [4],
        [3], [3],
    ]  # fmt: skip
    (letter,) = stage.of(DeadLettered)
    assert (number_of(letter.event), letter.attempts) == (3, 6)
    assert stage.position == 2
    stage.effects += stage.work.letter_stored(letter)
    assert stage.position == 8


def test_an_event_is_not_given_up_for_the_failures_of_its_company():
    stage = batches(retry=Retry(attempts=1))
    stage.arrive(1, 2)
    stage.wait()
    stage.fail(stage.run())
    stage.wait()
    one, two = stage.runs()
    assert (one.attempt, stage.effects) == (2, [])
    stage.fail(one)
    stage.end(two)
    assert [number_of(each.event) for each in stage.of(DeadLettered)] == [1]


def test_parts_of_a_batch_keep_the_order_of_a_record():
    stage = batches(order=Order.RECORD)
    stage.arrive(event(1, 'A'), event(2, 'B'), event(3, 'A'), event(4, 'C'))
    stage.fail(stage.run())
    stage.wait()
    first = stage.run()  # the other half has an event of A, and waits
    assert numbers(first.events) == [1, 2]
    assert stage.work.numbers().retrying == 2
    stage.fail(first)
    stage.wait()
    one, two = stage.runs()
    stage.end(two)
    assert stage.runs() == []
    stage.end(one)
    assert numbers(stage.run().events) == [3, 4]


def test_a_part_of_a_batch_goes_on_beside_another_that_pauses():
    stage = batches(order=Order.RECORD)
    stage.arrive(event(1, 'A'), event(2, 'B'), event(3, 'C'), event(4, 'C'))
    stage.fail(stage.run())
    stage.wait()
    assert [numbers(run.events) for run in stage.runs()] == [[1, 2], [3, 4]]


def test_a_batch_handler_that_stops_keeps_all_parts():
    stage = batches(order=Order.CHANNEL, retry=Retry(attempts=1, on_failure=OnFailure.STOP))
    stage.arrive(1, 2, 3, 4)
    while not stage.of(HandlerStopped):
        stage.fail(stage.run())
        if not stage.of(HandlerStopped):
            stage.wait()
    assert number_of(stage.of(HandlerStopped)[0].event) == 1
    assert stage.runs() == []
    stage.work.resume()
    seen = []
    while stage.work.unfinished:
        run = stage.run()
        seen.append(numbers(run.events))
        stage.end(run)
    assert seen == [[1], [2], [3, 4]]
    assert stage.position == 4


def test_a_batch_whose_worker_did_not_begin_stays_whole():
    stage = batches()
    stage.arrive(1, 2, 3, 4)
    stage.end(stage.run(), Ended.NOT_RUN)
    again = stage.run()
    assert (numbers(again.events), again.attempt) == ([1, 2, 3, 4], 1)


# --- the command lane ------------------------------------------------------------------------------


def test_the_position_waits_for_the_poll_that_an_event_overtook():
    stage = Stage()
    stage.arrive(2, provisional=True)
    stage.end(stage.run())
    assert (stage.position, stage.work.received) == (None, None)
    assert stage.work.poll_answered() == (Mark(2, CREATED),)
    assert stage.work.received == 2


def test_an_event_that_overtook_a_lost_poll_is_not_run_twice():
    stage = Stage()
    stage.arrive(2, provisional=True)
    stage.end(stage.run())
    assert stage.work.poll_lost() == ()
    stage.arrive(1, 2)
    assert len(stage.of(Dropped)) == 1
    stage.end(stage.run())
    assert stage.of(Mark) == [Mark(2, CREATED)]


def test_a_re_delivery_may_be_what_moves_the_position():
    stage = Stage()
    two = event(2)
    stage.arrive(two, provisional=True)
    stage.end(stage.run())
    stage.work.poll_lost()
    stage.arrive(1)
    stage.end(stage.run())
    stage.arrive(two)
    assert stage.effects == [Mark(1, CREATED), Dropped(two), Mark(2, CREATED)]


def test_a_jump_to_new_events_leaves_the_position_before_what_is_unfinished():
    stage = Stage()
    stage.arrive(2, provisional=True)
    two = stage.run()
    stage.work.poll_lost()
    assert stage.work.skipped_ahead() == ()
    stage.arrive(9)
    stage.end(stage.run())
    assert stage.position is None
    stage.end(two)
    assert stage.position == 9


# --- numbers ---------------------------------------------------------------------------------------


def test_the_numbers_say_where_the_events_are():
    stage = Stage(retry=Retry(attempts=2))
    stage.arrive(1, 2)
    stage.now = 107.0
    stage.arrive(3, 4)
    one, two, three = (stage.work.next(stage.now) for _ in range(3))
    stage.end(one)
    stage.fail(two)
    found = stage.work.numbers()
    oldest = stage.work.oldest
    assert (found.unfinished, oldest.since, oldest.created) == (3, 100.0, 1459269608.208)
    assert (found.waiting, found.in_flight, found.retrying, found.letters) == (1, 1, 1, 0)
    assert (found.handled, found.retries, found.dead_letters, found.skipped) == (1, 1, 0, 0)
    stage.wait()
    retry = next(run for run in stage.runs() if run.attempt == 2)
    stage.fail(retry)
    found = stage.work.numbers()
    assert (found.dead_letters, found.letters, found.retries) == (1, 1, 1)
    assert (found.unfinished, stage.work.unfinished) == (3, 3)
    stage.end(three)


def test_a_channel_at_rest_has_nothing_old():
    work = Stage().work
    assert (work.numbers().unfinished, work.oldest) == (0, None)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match='without handlers'):
        ChannelWork([], None, lambda: 0.0)
    with pytest.raises(ValueError, match='of one name'):
        ChannelWork([HandlerOptions(name='a'), HandlerOptions(name='a')], None, lambda: 0.0)
