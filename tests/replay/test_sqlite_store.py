"""What only a file can do to a store. That it is a store at all is in test_store.py."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import eventlet
import pytest

from nameko_salesforce.replay.sqlite_store import SqliteStore
from nameko_salesforce.replay.store import Owner, StoreFailed, StoreUnreadable
from tests.replay.test_store import ORG, letter, position
from tests.services.redis_server import SLOWNESS

OWNER = Owner(ORG, 'contacts')

# Seconds that a call may wait in these tests, and what it may take beyond on a busy machine.
LIMIT = 0.4 * SLOWNESS
MARGIN = 1.0 * SLOWNESS


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'positions.db'


@pytest.fixture
def make(path):
    stores = []

    def make(place=path, **options):
        stores.append(SqliteStore(str(place), OWNER, **{'limit': LIMIT, **options}))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def other(path):
    """A connection of somebody else to the same file."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        yield connection


HOLDER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute(sys.argv[2])
print('locked', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(path):
    """`locked(how)` -> a process that holds a lock of the file until its `communicate`."""
    processes = []

    def lock(how='BEGIN IMMEDIATE'):
        process = subprocess.Popen(
            [sys.executable, '-c', HOLDER, str(path), how],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == b'locked\n'
        return process

    yield lock
    for process in processes:
        process.kill()
        process.communicate()


def test_the_file_is_made_when_it_is_first_needed(make, path):
    store = make()
    assert not path.exists()
    assert store.load('/a') is None
    assert path.exists()


def test_a_relative_path_is_that_of_the_folder_at_the_start(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = make('here.db')
    monkeypatch.chdir('/')
    store.save({'/a': position()})
    assert (tmp_path / 'here.db').exists()
    assert store.place == f'sqlite:///{tmp_path}/here.db'


# --- locks -------------------------------------------------------------------------------------------


def test_a_lock_of_another_process_is_waited_for_while_the_hub_goes_on(make, locked):
    store = make(limit=20 * SLOWNESS)
    store.save({'/a': position(1)})
    process = locked()
    beats = []

    def beat():
        for _ in range(10):
            beats.append(time.monotonic())
            eventlet.sleep(0.02)
        process.communicate()

    heart = eventlet.spawn(beat)
    store.save({'/a': position(2)})
    heart.wait()
    assert len(beats) == 10
    assert store.load('/a') == position(2)


def test_the_hub_does_not_stand_still_for_a_lock_of_another_process(make, locked):
    store = make(limit=SLOWNESS)
    store.save({'/a': position(1)})
    locked()
    waiting = eventlet.spawn(store.save, {'/a': position(2)})
    begun = now = time.monotonic()
    stood = 0.0
    while not waiting.dead:
        eventlet.sleep(0.002)
        before, now = now, time.monotonic()
        stood += max(0.0, now - before - 0.005)
    with pytest.raises(StoreFailed):
        waiting.wait()
    # A fifth, for a busy machine; half of the time where SQLite waits as long as this module does.
    assert stood < (now - begun) / 5


def test_a_lock_that_stays_is_a_failure_in_time_and_reads_go_on(make, locked):
    store = make()
    store.save({'/a': position(1)})
    process = locked()
    for write in (
        lambda: store.save({'/a': position(2)}),
        lambda: store.add_dead_letter(letter()),
        lambda: store.remove_dead_letter('1'),
    ):
        begun = time.monotonic()
        with pytest.raises(StoreFailed, match='locked by another process'):
            write()
        assert time.monotonic() - begun < LIMIT + MARGIN
    assert store.load('/a') == position(1)
    process.communicate()
    store.save({'/a': position(3)})
    assert store.load('/a') == position(3)


def test_a_file_that_is_locked_before_it_was_ever_opened_is_a_failure_in_time(make, path, locked, other):
    other.execute('CREATE TABLE theirs (x)')
    process = locked('BEGIN EXCLUSIVE')
    store = make()
    with pytest.raises(StoreFailed, match='locked by another process'):
        store.load('/a')
    process.communicate()
    assert store.load('/a') is None


def test_a_green_thread_that_is_killed_while_it_waits_leaves_nothing_open(make, locked, other):
    store = make(limit=20 * SLOWNESS)
    store.save({'/a': position(1)})
    process = locked()
    thread = eventlet.spawn(store.save, {'/a': position(2)})
    eventlet.sleep(0.1)
    thread.kill()
    process.communicate()
    other.execute('BEGIN IMMEDIATE')  # which nobody else holds
    other.execute('ROLLBACK')
    assert store.load('/a') == position(1)


def test_a_call_is_short(make):
    """The hub stands still for it."""
    store = make()
    store.save({'/a': position()})
    took = []
    for number in range(200):
        begun = time.perf_counter()
        store.save({f'/{channel}': position(number) for channel in range(20)})
        took.append(time.perf_counter() - begun)
    assert sorted(took)[100] < 0.01 * SLOWNESS


WRITER = """
import sys
from nameko_salesforce.replay.sqlite_store import SqliteStore
from nameko_salesforce.replay.store import Owner
from tests.replay.test_store import ORG, letter, position
import eventlet
store = SqliteStore(sys.argv[1], Owner(ORG, sys.argv[2]), limit=60, dead_letter_limit=50)
dropped = 0
for number in range(100):
    store.save({'/a': position(number)})
    dropped += store.add_dead_letter(letter(replay_id=number))
print(dropped, store.load('/a').replay_id, store.count_dead_letters())
"""


def test_several_processes_write_to_one_file(path):
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, '-W', 'ignore', '-c', WRITER, str(path), name], cwd=root, stdout=subprocess.PIPE
        )
        for name in ('contacts', 'invoices', 'contacts-2')
    ]
    assert [process.communicate()[0].split() for process in processes] == [[b'50', b'99', b'50']] * 3


# --- files that are of no use -------------------------------------------------------------------------


def test_a_missing_folder_is_named(make, tmp_path):
    store = make(tmp_path / 'none' / 'positions.db')
    with pytest.raises(StoreFailed, match=f'the folder {tmp_path}/none is missing'):
        store.load('/a')
    (tmp_path / 'none').mkdir()
    assert store.load('/a') is None


def test_a_folder_that_cannot_be_looked_into_is_a_failure_too(make, tmp_path):
    with pytest.raises(StoreFailed, match='out of reach'):
        make(tmp_path / ('x' * 300) / 'positions.db').load('/a')


def test_a_folder_is_no_file(make, tmp_path):
    with pytest.raises(StoreFailed, match='it is a folder'):
        make(tmp_path).load('/a')


def test_a_place_that_nobody_may_write_to_is_said_so(make):
    with pytest.raises(StoreFailed, match='cannot be written to'):
        make('/proc/positions.db').load('/a')


CALLS = [
    lambda store: store.load('/a'),
    lambda store: store.save({'/a': position()}),
    lambda store: store.add_dead_letter(letter()),
    lambda store: store.dead_letters(),
    lambda store: store.count_dead_letters(),
]


def test_what_is_no_database_is_said_so_with_the_way_out_and_left_as_it_is(make, path):
    path.write_bytes(b'something else' * 1000)
    for call in CALLS:
        with pytest.raises(StoreUnreadable, match='not a database') as caught:
            call(make())
        assert str(path) in str(caught.value)
        assert 'REPLAY_STORE_URI' in str(caught.value)
    assert path.read_bytes() == b'something else' * 1000


def test_a_database_that_is_damaged_is_said_so(make, path):
    store = make()
    store.save({'/a': position()})
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b'\xff' * (len(whole) - 100))
    for call in CALLS:
        with pytest.raises(StoreUnreadable, match='malformed'):
            call(make())


@pytest.mark.parametrize(
    'theirs',
    [
        'CREATE TABLE positions (latitude REAL)',
        'CREATE TABLE other (a); PRAGMA user_version = 1',
        'CREATE TABLE positions (latitude REAL); CREATE TABLE dead_letters (a); PRAGMA user_version = 1',
        'PRAGMA user_version = -7',
    ],
)
def test_a_database_of_somebody_else_is_said_so_and_left_as_it_is(make, other, theirs):
    other.executescript(theirs)
    tables = other.execute('SELECT sql FROM sqlite_master').fetchall()
    for call in CALLS:
        with pytest.raises(StoreUnreadable, match='move it away'):
            call(make())
    assert other.execute('SELECT sql FROM sqlite_master').fetchall() == tables


def test_a_file_that_was_put_right_is_used_without_a_restart(make, path):
    path.write_bytes(b'something else' * 1000)
    store = make()
    with pytest.raises(StoreFailed):
        store.load('/a')
    path.unlink()
    store.save({'/a': position()})
    assert store.load('/a') == position()


def test_a_file_of_a_later_version_is_refused_and_left_as_it_is(make, other):
    make().save({'/a': position()})
    other.execute('PRAGMA user_version = 2')
    for call in (lambda store: store.load('/a'), lambda store: store.save({'/a': position(2)})):
        with pytest.raises(StoreUnreadable, match='later version'):
            call(make())
    other.execute('PRAGMA user_version = 1')
    assert make().load('/a') == position()


def test_what_cannot_be_read_is_said_so_and_left_alone(make, other):
    store = make()
    store.save({'/a': position()})
    store.add_dead_letter(letter())
    for text in (
        "'nonsense'",
        "''",
        "x'ff'",
        "CAST(x'ff80' AS TEXT)",
        '7',
        '0.5',
        "'[[[[' || hex(zeroblob(9))",
    ):
        other.execute(f'UPDATE positions SET position = {text}')
        other.execute(f'UPDATE dead_letters SET letter = {text}')
        with pytest.raises(StoreUnreadable, match='position of /a: .*; remove it'):
            store.load('/a')
        with pytest.raises(StoreUnreadable, match='dead letter 1: .*; remove it'):
            store.dead_letters()
    assert store.count_dead_letters() == 1
    store.save({'/a': position(8)})
    assert store.load('/a') == position(8)


def test_a_failure_in_a_transaction_undoes_all_of_it(make, other):
    store = make()
    store.save({'/a': position(1), '/b': position(1)})
    other.execute(
        'CREATE TRIGGER no BEFORE UPDATE ON positions WHEN NEW.channel = "/b" '
        "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    with pytest.raises(StoreFailed, match='not this one'):
        store.save({'/a': position(2), '/b': position(2)})
    assert store.load('/a') == position(1)
