"""The URI of a Redis, and the bounds that are ours."""

import gc
from contextlib import suppress
from functools import cache
from importlib import metadata
from inspect import signature
from itertools import product
from urllib.parse import quote

import pytest
import trustme
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection

from nameko_salesforce.replay.redis_options import place_of, redis_options
from nameko_salesforce.replay.redis_store import RedisStore
from nameko_salesforce.replay.store import Owner, StoreFailed
from nameko_salesforce.replay.stores import check_uri
from nameko_salesforce.replay.uri import StoreKind, read_uri
from tests.replay.test_store import ORG, letter
from tests.services.redis_server import SLOWNESS, RedisServer

# Seconds that a call may take in these tests.
LIMIT = 0.2 * SLOWNESS


@pytest.fixture(autouse=True)
def version_is_read_once(monkeypatch):
    """redis-py reads its own version from the disk for every connection, in 3 ms."""
    monkeypatch.setattr(metadata, 'version', cache(metadata.version))


@pytest.mark.parametrize(
    'uri',
    [
        'redis://localhost?db=hidden',
        'redis://localhost?no_such_option=hidden',
        'redis://localhost?socket_timeout=hidden',
        'redis://localhost?protocol=hidden',
        'unix:///x?socket_connect_timeout=1&hidden=1',
    ],
)
def test_an_option_of_no_use_is_refused_without_its_value(uri):
    with pytest.raises(ValueError) as caught:
        redis_options(uri)
    assert 'hidden' not in str(caught.value)


OBJECTS = [
    'command_packer',
    'connection_class',
    'credential_provider',
    'encoding',
    'encoding_errors',
    'event_dispatcher',
    'maint_notifications_config',
    'parser_class',
    'redis_connect_func',
    'retry',
    'retry_on_error',
    'socket_keepalive_options',
    'socket_read_size',
    'socket_type',
]


@pytest.mark.parametrize('name', OBJECTS)
@pytest.mark.parametrize('scheme', ['redis://localhost', 'rediss://localhost', 'unix:///x'])
def test_an_option_that_no_text_can_be_is_refused_by_its_name(scheme, name):
    with pytest.raises(ValueError, match=f'^a URI .*{name}') as caught:
        redis_options(f'{scheme}?{name}=hidden')
    assert 'hidden' not in str(caught.value)


@pytest.mark.parametrize(
    'option',
    [
        'timeout=3',  # of another kind of pool
        'max_connections=-1',
        'socket_timeout=-1',
        'socket_timeout=nan',
        'socket_connect_timeout=1e999',
        'health_check_interval=' + '9' * 400,
        'socket_timeout=0',
        'protocol=4',
        'ssl_cert_reqs=none',  # without TLS
    ],
)
def test_a_value_that_no_call_could_use_is_refused_by_the_name_of_its_option(option):
    with pytest.raises(ValueError, match='^a URI .*' + option.partition('=')[0]):
        redis_options('redis://localhost?' + option)


def test_a_key_without_its_certificate_is_refused():
    with pytest.raises(ValueError, match='^a URI with ssl_certfile'):
        redis_options('rediss://localhost?ssl_keyfile=x')
    redis_options('rediss://localhost?ssl_keyfile=x&ssl_certfile=x')


def parameters(kind):
    """The names of what a connection of this kind, of the redis-py that is installed, may be made with."""
    names = {name for each in kind.__mro__ for name in signature(each.__init__).parameters}
    return sorted(names - {'self', 'args', 'kwargs', 'host', 'port', 'path'})


def check_options(kind, start):
    for name in parameters(kind):
        for value in ('x', '1', '%00', '%ff'):
            uri = start.format(f'{name}={value}')
            try:
                check_uri(uri)
            except ValueError:
                continue
            store = RedisStore(uri, Owner(ORG, 'contacts'), limit=LIMIT)
            for call in (lambda store: store.add_dead_letter(letter()), lambda store: store.load('/a')):
                with suppress(StoreFailed):
                    call(store)
            store.close()


def test_whatever_an_option_says_is_refused_at_the_start_or_fails_as_a_store_does(redis):
    check_options(Connection, f'redis://{redis.address}/0?{{}}')
    check_options(UnixDomainSocketConnection, redis.socket_uri.partition('?')[0] + '?{}')


# redis-py leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings('ignore:unclosed:ResourceWarning')
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
def test_whatever_an_option_of_tls_says_is_refused_at_the_start_or_fails_as_a_store_does(
    tmp_path, monkeypatch
):
    # No certificate is checked; to read those of the system for each connection takes 60 ms.
    monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / 'nothing'))
    monkeypatch.setenv('SSL_CERT_DIR', str(tmp_path / 'nothing'))
    issued = trustme.CA().issue_cert('127.0.0.1')
    files = (tmp_path / 'certificate.pem', tmp_path / 'key.pem')
    files[0].write_bytes(issued.cert_chain_pems[0].bytes())
    files[1].write_bytes(issued.private_key_pem.bytes())
    (tmp_path / 'redis').mkdir()
    with RedisServer(tmp_path / 'redis', tls=files) as server:
        # The first one counts where one is said twice.
        check_options(SSLConnection, f'{server.uri}?{{}}&ssl_cert_reqs=none&ssl_check_hostname=False')
    gc.collect()


def test_options_of_the_uri_win_and_replies_stay_bytes():
    options = redis_options('rediss://localhost?socket_timeout=7&decode_responses=True&ssl_cert_reqs=none')
    assert (options['socket_timeout'], options['decode_responses']) == (7.0, False)
    assert options['ssl_cert_reqs'] == 'none'


def test_a_connection_that_went_silent_leaves_time_for_another():
    options = redis_options('redis://localhost', 3.0)
    assert (options['socket_timeout'], options['socket_connect_timeout']) == (1.5, 1.5)


@pytest.mark.parametrize(
    ('uri', 'place'),
    [
        ('redis://user:hidden@host', 'redis://host:6379/0'),
        ('redis://host:1/2?password=hidden', 'redis://host:1/2'),
        ('redis://host/2?db=3', 'redis://host:6379/3'),
        ('unix://user:hidden@/run/redis.sock', 'unix:///run/redis.sock, database 0'),
    ],
)
def test_a_place_is_shown_without_credentials(uri, place):
    assert place_of(redis_options(uri)) == place


# How people write credentials; '{}' is the password.
SHAPES = [
    'redis://:{}@localhost:1/0',
    'redis://user-hid:{}@localhost/0',
    'rediss://:{}@localhost',
    'unix://:{}@/run/redis.sock',
    'unix://user-hid:{}@/run/redis.sock?db=1',
    'redis://localhost?password={}',
    'unix:///run/redis.sock?username=user-hid&password={}&db=1',
    'rediss://localhost?ssl_password={}',
]
# What divides a URI, alone and in pairs, and other signs.
DIVIDERS = '@:/?#%[='
BETWEEN = [*'&]+; \\\'"<>{}|^`,~!$()*\xe9\u2100', *DIVIDERS, *map(''.join, product(DIVIDERS, repeat=2))]
PASSWORDS = [f'{first}{between}den' for between in BETWEEN for first in ('hid', '12@hid', '1/hid')]


@pytest.mark.parametrize('quoted', [True, False], ids=['quoted', 'as it is'])
@pytest.mark.parametrize('shape', SHAPES)
def test_no_part_of_a_password_is_shown_whatever_is_in_it_and_however_it_is_written(shape, quoted):
    understood = 0
    for password in PASSWORDS:
        uri = shape.format(quote(password, safe='') if quoted else password)
        try:
            assert read_uri(uri).kind is StoreKind.REDIS
            shown = place_of(redis_options(uri))
            understood += 1
        except ValueError as problem:
            shown = repr(problem)
        assert 'hid' not in shown, uri
        assert 'den' not in shown, uri
    assert understood == len(PASSWORDS) or not quoted


@pytest.mark.parametrize('shape', SHAPES)
def test_neither_the_store_nor_the_parts_of_redis_py_show_a_password(shape):
    store = RedisStore(shape.format('hidden'), Owner(ORG, 'contacts'))
    assert 'hid' not in f'{store!r} {store.place} {store._redis!r} {store._redis.connection_pool}'
