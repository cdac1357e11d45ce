"""The store of a service: opened by a login, saved and closed at an end or for another organization."""

import logging

import eventlet
import pytest
from eventlet.event import Event

from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import StoreFailed
from nameko_salesforce.streaming.positions import Positions

ONE, OTHER = '00D000000000001AAA', '00D000000000002AAA'
CHANNEL = '/topic/Contacts'
LONG = 60.0  # seconds; more than a test may take


def position(replay_id=7, seen_until=100.0):
    return Position(replay_id, None, seen_until, 50.0)


class Watched(MemoryStore):
    """Counts what it is asked for, and waits for gates where there are such."""

    gate = None
    load_gate = None

    def __init__(self):
        super().__init__()
        self.saves = 0
        self.closed = 0
        self.loading = 0

    def load(self, channel):
        self.loading += 1
        if self.load_gate is not None:
            self.load_gate.wait()
        return super().load(channel)

    def save(self, positions):
        self.saves += 1
        if self.gate is not None:
            self.gate.wait()
        super().save(positions)

    def close(self):
        self.closed += 1


class World:
    """Positions, the stores by organization, and the green threads that were started."""

    def __init__(self):
        self.stores = {}
        self.threads = []
        self.positions = Positions(self.open_store, self.spawn)

    def open_store(self, organization):
        return self.stores.setdefault(organization, Watched())

    def spawn(self, function):
        self.threads.append(eventlet.spawn(function))
        return self.threads[-1]

    @property
    def running(self):
        return [each for each in self.threads if not each.dead]


@pytest.fixture
def world():
    world = World()
    yield world
    for each in world.threads:
        each.kill()


# --- opening --------------------------------------------------------------------------------------


def test_the_first_login_opens_the_store_and_further_ones_of_it_change_nothing(world):
    assert world.positions.open(ONE) is False
    store, committer = world.positions.store, world.positions.committer
    assert world.positions.open(ONE) is False
    assert (world.positions.store, world.positions.committer) == (store, committer)
    assert list(world.stores) == [ONE]


def test_nothing_is_kept_before_the_first_login(world):
    world.positions.commit(CHANNEL, position())
    world.positions.seen(CHANNEL, 100.0)
    assert world.positions.store is None
    assert world.threads == []


def test_a_store_that_could_not_be_opened_is_opened_by_the_next_login(world):
    problems = [ValueError('no store today')]

    def open_store(organization):
        if problems:
            raise problems.pop()
        return world.open_store(organization)

    world.positions = Positions(open_store, world.spawn)
    with pytest.raises(ValueError, match='no store today'):
        world.positions.open(ONE)
    world.positions.open(ONE)
    assert world.positions.load(CHANNEL) is None


def test_another_organization_has_the_old_positions_saved_and_closed_and_begins_anew(world, until, caplog):
    world.positions.open(ONE)
    world.positions.commit(CHANNEL, position(7))
    assert world.positions.open(OTHER) is True
    assert world.positions.load(CHANNEL) is None
    world.positions.commit(CHANNEL, position(8))
    until('the old store', lambda: world.stores[ONE].closed)
    assert world.stores[ONE].load(CHANNEL) == position(7)
    until('the new one', lambda: world.stores[OTHER].load(CHANNEL) == position(8))
    assert world.stores[OTHER].closed == 0
    [record] = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert ONE in record.getMessage()
    assert OTHER in record.getMessage()


def test_a_position_that_has_moved_is_asked_for_before_another_organization_takes_over(world, until):
    world.positions.open(ONE)
    newest = position(7)
    world.positions.moved(CHANNEL, lambda: newest)
    world.positions.open(OTHER)
    newest = position(8)
    until('the old store', lambda: world.stores[ONE].closed)
    assert world.stores[ONE].load(CHANNEL) == position(7)


def test_another_organization_waits_for_nothing_of_the_old_one(world):
    world.positions.open(ONE)
    world.stores[ONE].gate = Event()
    world.positions.commit(CHANNEL, position(7))
    with eventlet.Timeout(1):
        world.positions.open(OTHER)
        world.positions.commit(CHANNEL, position(8))


def test_the_old_store_is_closed_also_where_its_last_save_is_killed(world, until):
    world.positions.open(ONE)
    world.stores[ONE].gate = Event()
    world.positions.commit(CHANNEL, position(7))
    world.positions.open(OTHER)
    until('the save', lambda: world.stores[ONE].saves)
    world.threads[-1].kill()
    until('the end of its thread', lambda: world.stores[ONE].closed)


# --- loading --------------------------------------------------------------------------------------


def test_what_the_store_holds_is_renewed_while_the_channel_is_quiet(world, until):
    world.positions.open(ONE)
    world.stores[ONE].save({CHANNEL: position(7, 100.0)})
    assert world.positions.load(CHANNEL) == position(7, 100.0)
    world.positions.seen(CHANNEL, 160.0)
    until('the renewal', lambda: world.stores[ONE].load(CHANNEL) == position(7, 160.0))


def test_what_is_not_kept_is_not_renewed(world):
    world.positions.open(ONE)
    assert world.positions.load(CHANNEL) is None
    world.positions.seen(CHANNEL, 160.0)
    world.positions.stop(LONG)
    assert world.stores[ONE].saves == 0


@pytest.mark.parametrize('kept', [position(7), None])
def test_a_late_answer_about_another_organization_is_no_answer(world, until, kept):
    world.positions.open(ONE)
    store = world.stores[ONE]
    if kept is not None:
        store.save({CHANNEL: kept})
    store.load_gate = Event()

    def load():
        with pytest.raises(StoreFailed, match='organization'):
            world.positions.load(CHANNEL)

    loading = eventlet.spawn(load)
    until('the call', lambda: store.loading)
    world.positions.open(OTHER)
    store.load_gate.send()
    loading.wait()
    world.positions.seen(CHANNEL, 160.0)
    world.positions.stop(LONG)
    assert world.stores[OTHER].load(CHANNEL) is None


# --- the end --------------------------------------------------------------------------------------


def test_a_stop_saves_what_is_left_and_closes_the_store(world):
    world.positions.open(ONE)
    world.positions.commit(CHANNEL, position(7))
    world.positions.stop(LONG)
    assert world.stores[ONE].load(CHANNEL) == position(7)
    assert world.stores[ONE].closed
    assert world.running == []


def test_a_stop_ends_in_time(world):
    world.positions.open(ONE)
    world.stores[ONE].gate = Event()
    world.positions.commit(CHANNEL, position(7))
    with eventlet.Timeout(5):
        world.positions.stop(0.02)
    assert world.stores[ONE].closed


def test_a_kill_saves_nothing_and_closes_the_store(world, until):
    world.positions.open(ONE)
    world.positions.commit(CHANNEL, position(7))
    world.positions.kill()
    until('the end of the thread', lambda: not world.running)
    assert world.stores[ONE].saves == 0
    assert world.stores[ONE].closed


def unopened(world, until):
    pass


def idle(world, until):
    world.positions.open(ONE)
    eventlet.sleep(0)


def just_opened(world, until):
    world.positions.open(ONE)


def saving(world, until):
    world.positions.open(ONE)
    world.stores[ONE].gate = Event()
    world.positions.commit(CHANNEL, position(7))
    until('the save', lambda: world.stores[ONE].saves)


def stopping(world, until):
    saving(world, until)
    world.threads.append(eventlet.spawn(world.positions.stop, LONG))
    eventlet.sleep(0)


def stopped(world, until):
    idle(world, until)
    world.positions.stop(LONG)


def killed(world, until):
    idle(world, until)
    world.positions.kill()


STATES = pytest.mark.parametrize('state', [unopened, idle, just_opened, saving, stopping, stopped, killed])
ENDS = pytest.mark.parametrize(
    'end', [lambda positions: positions.stop(0.02), lambda positions: positions.kill()], ids=['stop', 'kill']
)


@STATES
@ENDS
def test_an_end_in_any_state_leaves_no_thread(world, until, state, end):
    state(world, until)
    with eventlet.Timeout(5):
        end(world.positions)
        end(world.positions)
    until('the end of all threads', lambda: not world.running)


@ENDS
def test_a_login_after_the_end_starts_no_thread(world, end):
    end(world.positions)
    world.positions.open(ONE)
    world.positions.commit(CHANNEL, position(7))
    assert world.threads == []
