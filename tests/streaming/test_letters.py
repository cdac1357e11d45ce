"""Dead letters on their way to the store: in order, until it has them, and whatever ends them."""

import logging
import re

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended, Failed
from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.sqlite_store import SqliteStore
from nameko_salesforce.replay.store import Owner, StoreFailed
from nameko_salesforce.streaming import letters as module
from nameko_salesforce.streaming.effects import DeadLettered
from nameko_salesforce.streaming.letters import ERROR_LENGTH, Letters, error_of

CHANNEL = '/event/Low_Ink__e'
NOW = 1_700_000_000.0
LONG = 60.0  # seconds; more than a test may take


def letter(number, outcome=None, **changes):
    values = {
        'handler': 'handle',
        'event': Delivery(CHANNEL, {'event': {'replayId': number}}),
        'outcome': outcome or Failed(ValueError('no such printer')),
        'attempts': 3,
        'first_failed': 10.0,
        'last_failed': 14.0,
    }
    return DeadLettered(**{**values, **changes}, _arrival=None)


class Faulty(MemoryStore):
    """Fails with `problem` while there is one, and then waits for `gate` where there is one."""

    problem = None
    gate = None

    def __init__(self, **options):
        super().__init__(**options)
        self.tried = 0

    def add_dead_letter(self, letter):
        self.tried += 1
        if self.problem is not None:
            raise self.problem
        if self.gate is not None:
            self.gate.wait()
        return super().add_dead_letter(letter)


class World:
    """Letters of a service, its store, and what was told."""

    def __init__(self):
        self.store = Faulty()
        self.stored = []
        self.letters = Letters(
            lambda: self.store,
            lambda owner, letter: self.stored.append((owner, letter)),
            clock=lambda: 20.0,
            wall=lambda: NOW,
            draw=lambda: 0.0,
        )

    def put(self, *numbers):
        for each in numbers:
            self.letters.put('owner', CHANNEL, letter(each))

    def numbers(self):
        """Replay ids of the letters that are kept, in order."""
        return [each.replay_id for each in self.store.dead_letters()]


@pytest.fixture(autouse=True)
def quick_pauses(monkeypatch):
    monkeypatch.setattr(module, 'PAUSES', Backoff(first=0.002, cap=0.01))


@pytest.fixture
def world():
    world = World()
    yield world
    world.letters.kill()


@pytest.fixture
def warnings(caplog):
    """`warnings(pattern)` gives the lines of level WARNING and above that match."""
    caplog.set_level(logging.INFO)
    return lambda pattern: [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and re.search(pattern, record.getMessage())
    ]


# --- stored ---------------------------------------------------------------------------------------


def test_a_letter_is_stored_with_all_that_is_needed_to_run_it_again(world, until):
    world.put(7)
    until('the letter', lambda: world.stored)
    [kept] = world.store.dead_letters()
    assert (kept.channel, kept.handler, kept.replay_id, kept.attempts) == (CHANNEL, 'handle', 7, 3)
    assert kept.data == {'event': {'replayId': 7}}
    assert (kept.error_type, kept.error) == ('ValueError', 'no such printer')
    assert (kept.first_at, kept.last_at) == (NOW - 10.0, NOW - 6.0)


def test_a_letter_is_told_to_be_stored_once_and_after_the_store_has_it(world, until):
    world.store.gate = Event()
    world.put(1)
    until('the call', lambda: world.store.tried)
    assert world.stored == []
    assert world.letters.waiting == 1
    world.store.gate.send()
    until('the word', lambda: world.stored)
    [(owner, told)] = world.stored
    assert (owner, told.event.data) == ('owner', {'event': {'replayId': 1}})
    assert world.letters.waiting == 0


def test_letters_are_stored_in_the_order_in_which_they_came(world, until):
    world.put(*range(20))
    until('all', lambda: len(world.stored) == 20)
    assert world.numbers() == list(range(20))


def test_a_letter_that_comes_after_all_were_stored_is_stored_too(world, until):
    world.put(1)
    until('the first', lambda: world.stored)
    world.put(2)
    until('the second', lambda: len(world.stored) == 2)
    assert world.numbers() == [1, 2]


def test_a_letter_that_comes_while_one_is_told_is_stored_too(world, until):
    def told(owner, each):
        world.stored.append(each)
        if len(world.stored) == 1:
            world.put(2)

    world.letters._stored = told
    world.put(1)
    until('both', lambda: len(world.stored) == 2)
    assert world.numbers() == [1, 2]


def test_putting_a_letter_waits_for_nothing(world):
    world.store.gate = Event()
    with eventlet.Timeout(1):
        world.put(*range(100))
    assert world.letters.waiting == 100


def test_letters_outlive_the_process_where_the_store_does(tmp_path, until):
    owner = Owner('00D000000000001AAA', 'service')
    stored = []
    store = SqliteStore(str(tmp_path / 'letters.db'), owner)
    letters = Letters(lambda: store, lambda *what: stored.append(what))
    for number in (1, 2):
        letters.put('owner', CHANNEL, letter(number))
    until('both', lambda: len(stored) == 2)
    letters.kill()
    store.close()
    again = SqliteStore(str(tmp_path / 'letters.db'), owner)
    assert [each.replay_id for each in again.dead_letters()] == [1, 2]
    again.close()


def test_letters_that_the_bound_drops_are_told(world, until, warnings):
    world.store = Faulty(dead_letter_limit=1)
    world.put(1, 2)
    until('both', lambda: len(world.stored) == 2)
    [line] = warnings('DEAD_LETTER_LIMIT')
    assert '1 of the oldest dead letters were dropped' in line


# --- a store that fails ---------------------------------------------------------------------------


PROBLEMS = pytest.mark.parametrize(
    'problem',
    [StoreFailed('redis://host: down'), ZeroDivisionError('a bug'), eventlet.Timeout(None)],
    ids=['down', 'bug', 'late'],
)


@PROBLEMS
def test_a_store_that_fails_is_tried_until_it_works_and_keeps_the_order(world, until, problem):
    world.store.problem = problem
    world.put(1, 2)
    until('some attempts', lambda: world.store.tried > 3)
    assert (world.stored, world.letters.waiting) == ([], 2)
    world.store.problem = None
    world.put(3)
    until('all', lambda: len(world.stored) == 3)
    assert world.numbers() == [1, 2, 3]


@PROBLEMS
def test_a_store_that_fails_is_told_of_once_for_a_letter(world, until, warnings, problem):
    world.store.problem = problem
    world.put(1)
    until('some attempts', lambda: world.store.tried > 3)
    [line] = warnings('cannot be stored')
    assert CHANNEL in line


def test_letters_that_come_before_the_first_login_wait_for_the_store(world, until):
    store, world.store = world.store, None
    world.put(1)
    eventlet.sleep(0)
    assert world.letters.waiting == 1
    world.store = store
    until('the letter', lambda: world.stored)


# --- stop and kill --------------------------------------------------------------------------------


def test_a_stop_waits_for_what_is_under_way(world):
    world.store.gate = Event()
    world.put(1, 2)
    eventlet.spawn_after(0.01, world.store.gate.send)
    world.letters.stop(LONG)
    assert world.numbers() == [1, 2]
    assert len(world.stored) == 2


def test_a_stop_waits_for_a_store_that_comes_back(world, until):
    world.store.problem = StoreFailed('down')
    world.put(1)
    until('an attempt', lambda: world.store.tried)
    eventlet.spawn_after(0.01, lambda: setattr(world.store, 'problem', None))
    world.letters.stop(LONG)
    assert world.numbers() == [1]


def test_a_stop_sleeps_through_no_pause(world, until, monkeypatch):
    monkeypatch.setattr(module, 'PAUSES', Backoff(first=LONG, cap=LONG))
    world.store.problem = StoreFailed('down')
    world.put(1)
    until('an attempt', lambda: world.store.tried)
    world.store.problem = None
    with eventlet.Timeout(5):
        world.letters.stop(LONG)
    assert world.numbers() == [1]


def test_a_stop_ends_in_time_and_says_what_comes_again(world, warnings):
    world.store.problem = StoreFailed('down')
    world.put(1, 2)
    with eventlet.Timeout(5):
        world.letters.stop(0.02)
    assert warnings('2 dead letters could not be stored in time')
    tried = world.store.tried
    eventlet.sleep(0.03)
    assert world.store.tried == tried


def test_a_second_stop_says_nothing_more(world, warnings):
    world.store.problem = StoreFailed('down')
    world.put(1)
    world.letters.stop(0.0)
    world.letters.stop(LONG)
    assert len(warnings('could not be stored in time')) == 1


def test_two_stops_at_once_both_end(world):
    world.store.gate = Event()
    world.put(1)
    stops = [eventlet.spawn(world.letters.stop, LONG) for _ in range(2)]
    eventlet.sleep(0)
    world.store.gate.send()
    with eventlet.Timeout(5):
        for each in stops:
            each.wait()
    assert world.numbers() == [1]


def test_a_kill_ends_a_stop_that_waits(world, until):
    world.store.gate = Event()
    world.put(1)
    stop = eventlet.spawn(world.letters.stop, LONG)
    until('the call', lambda: world.store.tried)
    world.letters.kill()
    with eventlet.Timeout(5):
        stop.wait()


@pytest.mark.parametrize('end', [lambda letters: letters.stop(LONG), lambda letters: letters.kill()])
def test_an_end_before_the_first_letter_is_none_of_its_business(world, end):
    with eventlet.Timeout(5):
        end(world.letters)
        end(world.letters)


def test_nothing_is_stored_after_an_end(world):
    world.letters.kill()
    world.put(1)
    eventlet.sleep(0.01)
    assert world.store.tried == 0
    assert world.letters.waiting == 1


def in_a_call(world, until):
    world.store.gate = Event()
    world.put(1)
    until('the call', lambda: world.store.tried)


def in_a_pause(world, until):
    world.store.problem = StoreFailed('down')
    world.put(1)
    until('a pause', lambda: world.store.tried)


def before_it_begins(world, until):
    world.put(1)


@pytest.mark.parametrize('state', [in_a_call, in_a_pause, before_it_begins])
def test_a_kill_leaves_no_thread_and_does_not_tell_of_what_is_not_stored(world, until, state):
    threads = []
    world.letters._spawn = lambda run: threads.append(eventlet.spawn(run)) or threads[-1]
    state(world, until)
    world.letters.kill()
    until('the end of the thread', lambda: threads[0].dead)
    assert world.stored == []
    assert world.letters.waiting == 1


# --- the words for what ended an attempt ----------------------------------------------------------


@pytest.mark.parametrize('ended', [Ended.TIMED_OUT, Ended.LOST])
def test_an_attempt_that_raised_nothing_is_told_by_how_it_ended(ended):
    assert error_of(ended) == (ended.name, ended.value)


def test_a_long_error_keeps_its_beginning():
    name, text = error_of(Failed(ValueError('x' * 10 * ERROR_LENGTH)))
    assert (name, text) == ('ValueError', 'x' * ERROR_LENGTH)


def test_an_error_without_a_text_is_kept_all_the_same():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert error_of(Failed(Mute())) == ('Mute', '(its text cannot be had)')


def test_a_letter_goes_to_the_store_that_there_was_when_it_was_written(until):
    one, other = MemoryStore(), MemoryStore()
    stores, stored = [one], []
    letters = Letters(lambda: stores[0], lambda *what: stored.append(what))
    letters.put('owner', CHANNEL, letter(1))
    stores[0] = other  # a login of another organization
    letters.put('owner', CHANNEL, letter(2))
    until('both', lambda: len(stored) == 2)
    assert [len(each.dead_letters()) for each in (one, other)] == [1, 1]


def test_a_letter_that_cannot_be_stored_holds_up_no_other(until):
    class Choosy(MemoryStore):
        def add_dead_letter(self, letter):
            if letter.replay_id == 1:
                raise ValueError('a bug')
            return super().add_dead_letter(letter)

    store, stored = Choosy(), []
    letters = Letters(lambda: store, lambda *what: stored.append(what), draw=lambda: 0.0)
    for number in (1, 2, 3):
        letters.put('owner', CHANNEL, letter(number))
    until('the others', lambda: len(stored) == 2)
    assert [each.replay_id for each in store.dead_letters()] == [2, 3]
    assert letters.waiting == 1
    letters.kill()
