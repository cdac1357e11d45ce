"""What only Redis can do to a store, and what only a store in Redis has to do.

That it is a store at all is in test_store.py.
"""

import gc
import socket
import time
from traceback import TracebackException
from urllib.parse import urlsplit

import eventlet
import pytest
import trustme

from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.redis_store import RedisStore
from nameko_salesforce.replay.store import Owner, StoreFailed, StoreUnreadable
from tests.replay.test_store import ORG, ids, letter, position
from tests.services.redis_server import SLOWNESS, RedisServer
from tests.services.relay import Relay

OWNER = Owner(ORG, 'contacts')
PREFIX = f'salesforce:{{{ORG}:contacts}}:'

# Seconds that a call may take in these tests, and what it may take beyond on a busy machine.
LIMIT = 0.4 * SLOWNESS
MARGIN = 1.0 * SLOWNESS


@pytest.fixture
def make():
    """`make(uri, **options)` -> a store, closed when the test ends."""
    stores = []

    def make(uri, **options):
        stores.append(RedisStore(uri, OWNER, **{'limit': LIMIT, **options}))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


def refused(call, *arguments, bound=LIMIT):
    """The text of the failure, which came in time."""
    begun = time.monotonic()
    with pytest.raises(StoreFailed) as caught:
        call(*arguments)
    assert time.monotonic() - begun < bound + MARGIN
    return str(caught.value)


CALLS = [
    lambda store: store.load('/a'),
    lambda store: store.save({'/a': position()}),
    lambda store: store.add_dead_letter(letter()),
    lambda store: store.dead_letters(),
    lambda store: store.dead_letters(newest_first=True, channel='/a'),
    lambda store: store.dead_letter('1-1'),
    lambda store: store.remove_dead_letter('1-1'),
    lambda store: store.count_dead_letters(),
]


# --- keys --------------------------------------------------------------------------------------------


@pytest.mark.defect('S4')
def test_nothing_that_is_kept_expires(redis, make):
    store = make(redis.uri)
    store.save({'/a': position()})
    store.add_dead_letter(letter())
    with redis.client() as client:
        keys = client.keys('*')
        assert set(keys) == {PREFIX + name for name in ('positions', 'writer', 'dead-letters')}
        assert {client.ttl(key) for key in keys} == {-1}


def test_a_save_of_many_channels_is_one_command_in_one_round_trip(redis, make):
    store = make(redis.uri)
    store.save({'/first': position()})
    with redis.client() as client:
        client.config_resetstat()
        store.save({f'/{number}': position() for number in range(500)})
        calls = {name: stats['calls'] for name, stats in client.info('commandstats').items()}
        assert client.hlen(PREFIX + 'positions') == 501
    assert calls.pop('cmdstat_evalsha') == 1
    # What the script does; and this test's own command.
    assert set(calls) <= {'cmdstat_hset', 'cmdstat_hmget', 'cmdstat_config|resetstat', 'cmdstat_info'}


def test_a_server_that_forgot_the_script_gets_it_again(redis, make):
    store = make(redis.uri)
    store.save({'/a': position(1)})
    with redis.client() as client:
        client.script_flush()
    store.save({'/a': position(2)})
    assert store.load('/a') == position(2)


def test_a_database_of_the_uri_is_used(redis, make):
    store = make(f'redis://{redis.address}/3')
    store.save({'/a': position()})
    assert make(redis.uri).load('/a') is None
    assert store.place == f'redis://{redis.address}/3'


# --- a server that is down, slow, full or another one -----------------------------------------------


@pytest.mark.defect('S9')
@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize('uri', ['uri', 'socket_uri'])
def test_a_server_that_is_down_is_a_failure_in_time(own_redis, make, call, uri):
    store = make(getattr(own_redis, uri))
    store.save({'/a': position()})
    own_redis.end()
    assert refused(call, store).startswith(store.place)
    own_redis.start()
    assert store.load('/a') == position()
    call(store)


@pytest.mark.defect('S9')
@pytest.mark.parametrize('call', CALLS)
def test_a_server_that_stands_still_is_a_failure_in_time_while_the_hub_goes_on(own_redis, make, call):
    store = make(own_redis.uri)
    store.save({'/a': position()})
    own_redis.freeze()
    beats = []

    def beat():
        while True:
            beats.append(time.monotonic())
            eventlet.sleep(LIMIT / 20)

    heart = eventlet.spawn(beat)
    said = refused(call, store)
    heart.kill()
    own_redis.thaw()
    assert 'no answer within' in said or 'Timeout' in said
    assert len(beats) >= 5
    assert store.load('/a') == position()


@pytest.mark.filterwarnings('ignore:please use dns.resolver')  # eventlet's
def test_a_host_that_nobody_knows_is_a_failure(make):
    assert 'nowhere.invalid' in refused(make('redis://nowhere.invalid:6379/0').load, '/a')


@pytest.mark.parametrize('call', CALLS[1:3])
def test_a_server_that_is_full_is_a_failure(own_redis, make, call):
    store = make(own_redis.uri)
    store.save({'/a': position()})
    with own_redis.client() as client:
        client.config_set('maxmemory', 1)
        said = refused(call, store)
        assert 'maxmemory' in said
        assert 'letter' not in said
        client.config_set('maxmemory', 0)
    assert store.load('/a') == position()


@pytest.mark.parametrize('key', ['positions', 'dead-letters'])
def test_a_key_that_somebody_else_uses_is_a_failure_and_left_alone(redis, make, key):
    store = make(redis.uri)
    with redis.client() as client:
        client.set(PREFIX + key, 'theirs')
        for call in CALLS[:2] if key == 'positions' else CALLS[2:]:
            assert 'WRONGTYPE' in refused(call, store)
        assert client.get(PREFIX + key) == 'theirs'


@pytest.fixture
def answering():
    """`answering(text)` -> the port of a server that says this to all; with a `pause` byte by byte."""
    threads, sockets = [], []

    def start(text, pause=None):
        listener = eventlet.listen(('127.0.0.1', 0))
        sockets.append(listener)

        def answer(client):
            while client.recv(65_536):
                if pause is None:
                    client.sendall(text)
                    continue
                for byte in text:
                    client.sendall(bytes([byte]))
                    eventlet.sleep(pause)

        def accept():
            while True:
                client, _ = listener.accept()
                sockets.append(client)
                threads.append(eventlet.spawn(answer, client))

        threads.append(eventlet.spawn(accept))
        return listener.getsockname()[1]

    yield start
    # In this order: a socket that is closed under its reader wakes up whoever gets its number next.
    for thread in threads:
        thread.kill()
    for each in sockets:
        each.close()


@pytest.mark.parametrize('call', CALLS)
def test_an_answer_that_trickles_is_a_failure_in_time(answering, make, call):
    port = answering(b'$1000\r\n' + b'x' * 100, pause=LIMIT / 10)
    assert 'no answer within' in refused(call, make(f'redis://127.0.0.1:{port}/0'))


NO_REDIS = [
    b'HTTP/1.1 400 Bad Request\r\n\r\n',
    b'\x00\xff\r\n',
    b'*99999999\r\n',
    b':x\r\n',
    b'$3\r\nabcdef\r\n',
    b':7\r\n' * 20,
    b'*0\r\n' * 20,
    b'$2\r\nab\r\n' * 20,
    b'*1\r\n' * 100_000,
    b':' + b'9' * 5000 + b'\r\n',
]


@pytest.mark.parametrize('text', NO_REDIS)
@pytest.mark.parametrize('call', CALLS)
def test_what_is_no_redis_is_a_failure(answering, make, text, call):
    refused(call, make(f'redis://127.0.0.1:{answering(text)}/0'))


# --- credentials -------------------------------------------------------------------------------------


def test_a_password_is_used_and_shown_nowhere(own_redis, make):
    with own_redis.client() as client:
        client.config_set('requirepass', 'hidden')
    store = make(f'redis://:hidden@{own_redis.address}/0')
    store.save({'/a': position()})
    assert make(f'redis://{own_redis.address}/0?password=hidden').load('/a') == position()
    for uri in (f'redis://:hidden-no@{own_redis.address}/0', own_redis.uri):
        other = make(uri)
        assert 'hidden' not in refused(other.load, '/a') + repr(other) + other.place
    own_redis.end()
    assert 'hidden' not in refused(store.load, '/a') + repr(store) + store.place


def test_a_server_that_repeats_the_password_does_not_have_it_logged(answering, make):
    port = answering(b"-ERR unknown command 'AUTH', with args beginning with: 'hid/den' 'user name'\r\n")
    said = refused(make(f'redis://user%20name:hid%2Fden@127.0.0.1:{port}/0').load, '/a')
    assert 'unknown command' in said
    assert 'hid' not in said
    assert 'user name' not in said


def test_a_failure_holds_no_exception_of_redis_py_whose_text_and_frames_have_the_password(answering, make):
    port = answering(b"-ERR unknown command 'AUTH', with args beginning with: 'hidden'\r\n")
    with pytest.raises(StoreFailed) as caught:
        make(f'redis://:hidden@127.0.0.1:{port}/0').load('/a')
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    shown = ''.join(TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert 'self = RedisStore(' in shown
    assert 'hidden' not in shown.replace("'redis://:hidden@", '')  # which is the line of this test


def test_an_event_in_an_error_is_cut_short(answering, make):
    port = answering(b'-ERR ' + b'x' * 10_000 + b'\r\n')
    assert len(refused(make(f'redis://127.0.0.1:{port}/0').add_dead_letter, letter())) < 300


# --- TLS ---------------------------------------------------------------------------------------------


# redis-py leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings('ignore:unclosed:ResourceWarning')
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
def test_a_redis_behind_tls_is_used_and_its_certificate_is_checked(make, tmp_path):
    authority, stranger = trustme.CA(), trustme.CA()
    issued = authority.issue_cert('127.0.0.1')
    files = (tmp_path / 'certificate.pem', tmp_path / 'key.pem')
    files[0].write_bytes(issued.cert_chain_pems[0].bytes())
    files[1].write_bytes(issued.private_key_pem.bytes())
    for name, each in (('right.pem', authority), ('wrong.pem', stranger)):
        each.cert_pem.write_to_path(tmp_path / name)
    (tmp_path / 'redis').mkdir()
    bound = 5 * LIMIT
    with RedisServer(tmp_path / 'redis', tls=files) as server:
        assert server.uri.startswith('rediss://')
        store = make(f'{server.uri}?ssl_ca_certs={tmp_path}/right.pem', limit=bound)
        store.save({'/a': position()})
        assert store.load('/a') == position()
        for uri in (f'{server.uri}?ssl_ca_certs={tmp_path}/wrong.pem', server.uri):
            said = refused(make(uri, limit=bound).load, '/a', bound=bound)
            assert 'certificate verify failed' in said
    gc.collect()


# --- nothing older over newer -------------------------------------------------------------------------


def port_of(redis):
    return urlsplit(redis.uri).port


def test_a_save_that_arrives_after_the_one_that_replaced_it_undoes_nothing(redis, make, until):
    with Relay(port_of(redis)) as relay:
        store = make(f'redis://127.0.0.1:{relay.port}/0')
        store.save({'/a': position(1)})
        relay.holding = True
        refused(store.save, {'/a': position(2)})
        assert relay.held
        relay.holding = False
        store.save({'/a': position(3)})
        with redis.client() as client:
            client.config_resetstat()
            relay.release()
            until('the late save', lambda: 'cmdstat_evalsha' in client.info('commandstats'))
        assert store.load('/a') == position(3)


def test_a_save_that_arrives_late_but_was_not_replaced_is_kept(redis, make, until):
    with Relay(port_of(redis)) as relay:
        store = make(f'redis://127.0.0.1:{relay.port}/0')
        store.save({'/a': position(1)})
        relay.holding = True
        refused(store.save, {'/a': position(2)})
        relay.release()
        until('the late save', lambda: store.load('/a') == position(2))


def test_saves_of_several_green_threads_are_all_kept(redis, make):
    store = make(redis.uri, limit=10 * SLOWNESS)
    pool = eventlet.GreenPool()
    for number in range(50):
        pool.spawn(store.save, {f'/{number}': position(number)})
    pool.waitall()
    assert [store.load(f'/{number}') for number in range(50)] == [position(number) for number in range(50)]


# --- a command whose answer is lost ---------------------------------------------------------------------


class Between:
    """Clients reach a server through it, and some of them in vain.

    Args:
        port: of the server.

    Attributes:
        loses: the next command with this in it is carried out, and its connection ends without the answer.
    """

    def __init__(self, port):
        self._to = port
        self.loses = None
        self._listener = eventlet.listen(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = [self._listener]
        self._silent = set()
        self._threads = [eventlet.spawn(self._accept)]

    def silence(self):
        """Swallow what is said on the connections of now; those that come later work."""
        self._silent |= set(self._sockets)

    def close(self):
        for thread in self._threads:
            thread.kill()
        for each in self._sockets:
            each.close()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            server = eventlet.connect(('127.0.0.1', self._to))
            self._sockets += [client, server]
            self._threads.append(eventlet.spawn(self._carry, client, server))

    def _carry(self, client, server):
        while said := client.recv(65_536):
            if client in self._silent:
                continue
            server.sendall(said)
            answer = server.recv(65_536)
            if self.loses is not None and self.loses in said:
                self.loses = None
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(answer)


@pytest.fixture
def between(redis):
    """A `Between` in front of the Redis."""
    between = Between(port_of(redis))
    yield between
    between.close()


def test_a_removal_whose_answer_is_lost_is_a_failure_and_not_a_letter_that_was_not_there(make, between):
    store = make(f'redis://127.0.0.1:{between.port}/0')
    store.add_dead_letter(letter())
    [number] = [each.number for each in store.dead_letters()]
    between.loses = b'XDEL'
    refused(store.remove_dead_letter, number)
    assert store.count_dead_letters() == 0
    assert not store.remove_dead_letter(number)


def test_a_letter_whose_answer_is_lost_is_kept_once_and_a_failure(make, between):
    store = make(f'redis://127.0.0.1:{between.port}/0', dead_letter_limit=1)
    store.add_dead_letter(letter(replay_id=1))
    between.loses = b'XADD'
    refused(store.add_dead_letter, letter(replay_id=2))
    assert ids(store.dead_letters()) == [2]
    # Each letter that goes for the bound is told once.
    assert store.add_dead_letter(letter(replay_id=3)) == 1


@pytest.mark.parametrize('call', CALLS)
def test_a_connection_that_went_silent_is_replaced_within_the_call(make, between, call):
    store = make(f'redis://127.0.0.1:{between.port}/0', limit=2 * SLOWNESS)
    store.save({'/a': position()})
    between.silence()
    call(store)


# --- ends in mid-command ------------------------------------------------------------------------------


@pytest.mark.parametrize('call', CALLS)
def test_a_green_thread_that_is_killed_in_mid_command_spoils_nothing(redis, make, call, until):
    with Relay(port_of(redis)) as relay:
        store = make(f'redis://127.0.0.1:{relay.port}/0', limit=10 * SLOWNESS)
        store.save({'/a': position(1), '/b': position(2)})
        relay.holding = True
        thread = eventlet.spawn(call, store)
        until('the command', lambda: relay.held)
        thread.kill()
        relay.release()
        # The reply to the first command is not taken for that to another.
        for _ in range(5):
            assert store.load('/b') == position(2)
        store.save({'/a': position(3)})
        assert store.load('/a') == position(3)


def test_a_timeout_of_the_caller_s_own_reaches_the_caller(own_redis, make):
    store = make(own_redis.uri, limit=10 * SLOWNESS)
    own_redis.freeze()
    with pytest.raises(eventlet.Timeout) as caught, eventlet.Timeout(0.1) as own:
        store.load('/a')
    assert caught.value is own
    own_redis.thaw()
    assert store.load('/a') is None


def test_no_timer_is_left_behind(own_redis, make):
    store = make(own_redis.uri, limit=0.2 * SLOWNESS)
    store.load('/a')
    own_redis.end()
    refused(store.load, '/a')
    eventlet.sleep(0.3 * SLOWNESS)  # a timer that was left would fire into this sleep


def test_a_store_that_is_closed_under_a_call_is_a_failure_or_answers(redis, make, until):
    with Relay(port_of(redis)) as relay:
        store = make(f'redis://127.0.0.1:{relay.port}/0', limit=SLOWNESS)
        store.load('/a')
        relay.holding = True

        def load():
            try:
                return store.load('/a')
            except StoreFailed as failure:
                return failure

        thread = eventlet.spawn(load)
        until('the command', lambda: relay.held)
        store.close()
        relay.release()
        assert thread.wait() is None or isinstance(thread.wait(), StoreFailed)
        assert store.load('/a') is None


# --- what cannot be read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'text', ['', 'nonsense', '7', '{"v": 2, "more": 1}', b'\xff', '9' * 5000, '[' * 10**5]
)
def test_a_position_that_cannot_be_read_is_said_so_and_left_alone(redis, make, text):
    store = make(redis.uri)
    with redis.client() as client:
        client.hset(PREFIX + 'positions', '/topic/A', text)
        client.set('salesforce:replay_id:/topic/A', '7')
        with pytest.raises(StoreUnreadable, match='position of /topic/A'):
            store.load('/topic/A')
    with redis.client(encoding_errors='surrogateescape') as client:
        kept = client.hget(PREFIX + 'positions', '/topic/A')
        assert kept.encode('utf-8', 'surrogateescape') == (text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize('fields', [{'letter': 'nonsense'}, {'other': '1'}])
def test_a_letter_that_cannot_be_read_is_said_so(redis, make, fields):
    store = make(redis.uri)
    with redis.client() as client:
        number = client.xadd(PREFIX + 'dead-letters', fields)
    with pytest.raises(StoreUnreadable, match=f'dead letter {number}'):
        store.dead_letters()
    assert store.remove_dead_letter(number)


def test_letters_beyond_the_first_hundred_are_found(redis, make):
    store = make(redis.uri, limit=10 * SLOWNESS)
    for number in range(250):
        store.add_dead_letter(letter('/rare' if number == 240 else '/often', replay_id=number))
    assert ids(store.dead_letters(channel='/rare', count=1)) == [240]
    assert ids(store.dead_letters(count=1000)) == list(range(250))
    assert store.dead_letters(after=f'{2**64 - 1}-{2**64 - 1}') == []
    assert store.dead_letters(after='0-0', newest_first=True) == []


# --- positions of version 1.2 --------------------------------------------------------------------------

NOW = 1_000_000.0
HOUR = 3600


def old_store(make, redis, **options):
    return make(redis.uri, clock=lambda: NOW, **options)


def test_a_position_of_1_2_is_copied_once_and_never_deleted(redis, make):
    store = old_store(make, redis)
    with redis.client() as client:
        client.set('salesforce:replay_id:/topic/A', '17', ex=11 * HOUR)
        assert store.load('/topic/A').replay_id == 17
        client.set('salesforce:replay_id:/topic/A', '18', ex=12 * HOUR)
        assert store.load('/topic/A').replay_id == 17
        store.save({'/topic/A': position(20)})
        assert store.load('/topic/A') == position(20)
        assert client.get('salesforce:replay_id:/topic/A') == '18'
        assert client.ttl('salesforce:replay_id:/topic/A') > 11 * HOUR


def test_a_position_of_1_2_does_not_replace_a_mark(redis, make):
    store = old_store(make, redis)
    store.save({'/topic/A': position(None)})
    with redis.client() as client:
        client.set('salesforce:replay_id:/topic/A', '17')
    assert store.load('/topic/A') == position(None)


@pytest.mark.parametrize(
    ('ttl', 'rest', 'age'),
    [
        (12, 11, 1),  # written an hour ago
        (12, 12, 0),
        (12, 0.5, 11.5),
        (72, 71, 1),
        (12, 24, 12),  # not written with this time to live: as old as it can be
        (12, None, 12),  # without end: likewise
    ],
)
def test_the_age_of_a_position_of_1_2_is_what_its_time_to_live_lost(redis, make, ttl, rest, age):
    store = old_store(make, redis, old_ttl=ttl * HOUR)
    with redis.client() as client:
        client.set('salesforce:replay_id:/topic/A', '17', px=rest and int(rest * HOUR * 1000))
    kept = store.load('/topic/A')
    assert kept.age(NOW) == pytest.approx(age * HOUR, abs=60)
    assert kept.event_time is None
    assert kept.marked_at == kept.seen_until
    assert old_store(make, redis, old_ttl=1).load('/topic/A') == kept


@pytest.mark.parametrize(
    ('text', 'replay_id'), [('0', 0), ('9' * 30, int('9' * 30)), ('abc', 'abc'), ('-1', '-1')]
)
def test_an_id_of_1_2_is_a_number_where_it_looks_like_one(redis, make, text, replay_id):
    with redis.client() as client:
        client.set('salesforce:replay_id:/a', text)
    assert old_store(make, redis).load('/a').replay_id == replay_id


def test_what_else_stands_under_an_old_name_is_no_position(redis, make):
    store = old_store(make, redis)
    with redis.client() as client:
        client.set('salesforce:replay_id:/empty', '')
        client.rpush('salesforce:replay_id:/list', 1)
        assert store.load('/empty') is None
        assert store.load('/list') is None
        assert not client.exists(PREFIX + 'positions')


@pytest.mark.parametrize(
    ('keys', 'replay_id'),
    [
        ({'/a?x=1': '17'}, 17),
        ({'/a': '18'}, 18),
        # 1.2 took the name as it was subscribed to.
        ({'/a?x=1': '17', '/a': '18'}, 17),
        ({'/a?x=1': '', '/a': '18'}, 18),
        ({'/a?x=2': '19'}, None),
    ],
)
def test_a_position_of_1_2_is_found_with_the_filter_of_its_channel_and_without(redis, make, keys, replay_id):
    store = old_store(make, redis)
    with redis.client() as client:
        for name, text in keys.items():
            client.set(f'salesforce:replay_id:{name}', text)
        kept = store.load('/a?x=1')
        assert (kept and kept.replay_id) == replay_id
        client.delete(*client.keys('salesforce:replay_id:*'))
    # It is that of the channel from then on.
    assert store.load('/a') == kept


@pytest.mark.defect('S6')
def test_each_service_takes_its_own_copy(redis, make):
    store = old_store(make, redis)
    other = RedisStore(redis.uri, Owner(ORG, 'invoices'))
    with redis.client() as client:
        client.set('salesforce:replay_id:/a', '17')
    assert store.load('/a').replay_id == 17
    store.save({'/a': Position(20, None, NOW, NOW)})
    assert other.load('/a').replay_id == 17
    other.close()
