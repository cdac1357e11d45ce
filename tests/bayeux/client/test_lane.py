"""One exchange at a time: what extensions may do, how an exchange ends, and how it is abandoned."""

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux.effects import Lane, Send
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.lane import LaneThread
from nameko_salesforce.bayeux.messages import Connect, Delivery, parse

RESET = Failure(FailureKind.RESET)


class Wire:
    """In place of a connection: keeps what is sent, answers when the test says so.

    Attributes:
        at_once: the last piece comes with the end of the response.
    """

    at_once = False

    def __init__(self):
        self.sent, self.closed, self.answer, self.characters = [], 0, Event(), 7
        self.complete = False

    def exchange(self, messages, *, read_timeout, on_messages):
        self.sent.append((list(messages), read_timeout))
        pieces, outcome = self.answer.wait()
        for number, piece in enumerate(pieces, 1):
            self.complete = self.at_once and number == len(pieces)
            on_messages(piece)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def close(self):
        self.closed += 1


class Bench:
    """A lane and all that it says."""

    def __init__(self, *extensions):
        self.wire, self.said, self.room = Wire(), [], None
        self.lane = LaneThread(
            self.wire,
            extensions,
            eventlet.spawn,
            lambda number, messages, characters: self.said.append((number, messages)),
            lambda number, messages, characters: self.said.append(
                (number, *([messages] if messages else []), None)
            ),
            lambda number, failure: self.said.append((number, failure)),
            lambda: self.room is None,
            lambda: self.room and self.room.wait(),
        )

    def send(self, number=1, **fields):
        self.lane.send(Send(Lane.POLL, number, (Connect(str(number), 'c', **fields),), 30.0))
        give_way()

    def answer(self, *pieces, outcome=None):
        answer, self.wire.answer = self.wire.answer, Event()
        answer.send((pieces, outcome))
        give_way()


def give_way():
    for _ in range(4):
        eventlet.sleep(0)


@pytest.fixture
def make_bench():
    benches = []

    def make(*extensions):
        benches.append(Bench(*extensions))
        return benches[-1]

    yield make
    for bench in benches:
        bench.lane.abandon()
    give_way()


@pytest.fixture
def bench(make_bench):
    return make_bench()


EVENT = {'channel': '/a', 'data': 1}


def test_each_piece_of_an_answer_is_handed_on_before_the_end(bench):
    bench.send(7)
    bench.answer([EVENT], [EVENT, EVENT])
    event = Delivery('/a', 1)
    assert bench.said == [(7, [event]), (7, [event, event]), (7, None)]


def test_what_comes_with_the_end_is_one_word_with_it(bench):
    bench.wire.at_once = True
    bench.send(7)
    bench.answer([EVENT], [EVENT, EVENT])
    event = Delivery('/a', 1)
    assert bench.said == [(7, [event]), (7, [event, event], None)]


def test_what_comes_with_the_end_is_handed_on_before_a_wait_for_room(bench):
    bench.wire.at_once = True
    bench.room = Event()
    bench.send(7)
    bench.answer([EVENT])
    assert bench.said == [(7, [Delivery('/a', 1)])]
    bench.room.send()
    give_way()
    assert bench.said[1:] == [(7, None)]


def test_the_next_exchange_may_be_begun_by_who_hears_of_the_end(bench):
    begun = []
    bench.lane._finished = lambda number, *_: (
        begun.append(number)
        or number > 2
        or bench.lane.send(Send(Lane.POLL, number + 1, (Connect(str(number + 1), 'c'),), 30.0))
    )
    bench.send(1)
    for _ in range(3):
        bench.answer()
    assert begun == [1, 2, 3]


def test_the_read_timeout_of_the_session_is_the_connection_s(bench):
    bench.send()
    assert bench.wire.sent[0][1] == 30.0


def test_a_failure_is_handed_on_after_what_arrived(bench):
    bench.send(7)
    bench.answer([EVENT], outcome=RESET)
    assert bench.said == [(7, [Delivery('/a', 1)]), (7, RESET)]


def test_one_green_thread_serves_exchange_after_exchange(bench):
    for number in (1, 2, 3):
        bench.send(number)
        bench.answer()
    assert bench.said == [(1, None), (2, None), (3, None)]


@pytest.mark.parametrize('error', [RuntimeError('boom'), eventlet.Timeout(None)])
def test_what_an_exchange_raises_ends_it_as_a_failure_and_the_lane_goes_on(bench, caplog, error):
    bench.send(1)
    bench.answer(outcome=error)
    bench.send(2)
    bench.answer()
    (first, failure), second = bench.said
    assert (first, failure.kind, second) == (1, FailureKind.WITHIN, (2, None))
    assert 'an exchange on the poll lane failed from within' in caplog.text


def test_nothing_more_is_read_while_there_is_no_room(bench):
    bench.room = Event()
    bench.send(7)
    bench.answer([EVENT], [EVENT])
    assert bench.said == [(7, [Delivery('/a', 1)])]
    bench.room.send()
    give_way()
    assert bench.said[-1] == (7, None)


def test_an_abandoned_exchange_says_nothing_and_closes_its_connection(bench):
    bench.send(7)
    bench.lane.abandon()
    bench.answer([EVENT])
    assert bench.said == []
    assert bench.wire.closed == 1


def test_an_exchange_abandoned_before_it_began_is_not_sent(bench):
    bench.lane.send(Send(Lane.POLL, 1, (Connect('1', 'c'),), 30.0))
    bench.lane.abandon()
    give_way()
    assert bench.wire.sent == []


def test_a_lane_can_be_abandoned_while_idle_and_used_again(bench):
    bench.lane.abandon()
    bench.send(1)
    bench.answer()
    bench.lane.abandon()
    bench.send(2)
    bench.answer()
    assert bench.said == [(1, None), (2, None)]


class Mark:
    """Writes its name into `ext` of everything that passes."""

    def __init__(self, name):
        self.name = name

    def outgoing(self, message):
        return {**message, 'ext': [*message.get('ext', []), self.name]}

    def incoming(self, message):
        return {**message, 'data': [*message['data'], self.name]}


class Broken:
    def outgoing(self, message):
        message.clear()
        raise RuntimeError('boom')

    incoming = outgoing


class Drop:
    def outgoing(self, message):
        return message

    def incoming(self, message):
        return None


def test_extensions_are_applied_in_order_going_out_and_in_reverse_coming_in(make_bench):
    bench = make_bench(Mark('first'), Mark('second'))
    bench.send(1)
    bench.answer([{'channel': '/a', 'data': []}])
    assert bench.wire.sent[0][0][0]['ext'] == ['first', 'second']
    assert bench.said[0] == (1, [Delivery('/a', ['second', 'first'])])


def test_an_extension_that_fails_leaves_the_message_as_it_was(make_bench, caplog):
    bench = make_bench(Broken(), Mark('mark'))
    bench.send(1)
    bench.answer([{'channel': '/a', 'data': []}])
    assert bench.wire.sent[0][0][0]['clientId'] == 'c'
    assert bench.said[0] == (1, [Delivery('/a', ['mark'])])
    assert len([each for each in caplog.records if 'extension' in each.msg]) == 2


def test_an_extension_that_waits_for_a_killed_green_thread_fails_like_any_other(make_bench, caplog):
    class Waiting:
        def outgoing(self, message):
            return message

        def incoming(self, message):
            thread = eventlet.spawn(eventlet.sleep, 1000)
            eventlet.sleep(0)
            thread.kill()
            thread.wait()

    bench = make_bench(Waiting())
    bench.send(1)
    bench.answer([EVENT], [EVENT])
    give_way()
    assert [said for _, said in bench.said] == [[parse(EVENT)], [parse(EVENT)], None]
    assert len([each for each in caplog.records if 'extension' in each.msg]) == 2


def test_a_message_that_an_extension_drops_reaches_nobody_else(make_bench):
    bench = make_bench(Broken(), Drop())
    bench.send(1)
    bench.answer([EVENT])
    assert bench.said == [(1, []), (1, None)]


@pytest.mark.parametrize('way', ['outgoing', 'incoming'])
def test_a_lane_that_is_abandoned_from_its_own_thread_says_nothing_more(way):
    class Ending:
        def outgoing(self, message):
            return self.end('outgoing', message)

        def incoming(self, message):
            return self.end('incoming', message)

        def end(self, here, message):
            if here == way:
                bench.lane.abandon()
            return message

    bench = Bench(Ending())
    bench.send()
    bench.answer([{'channel': '/a', 'data': 1}])
    assert bench.said == []
    assert bench.wire.closed == 1
    way = ''
    bench.send(2)
    bench.answer()
    assert bench.said == [(2, None)]
