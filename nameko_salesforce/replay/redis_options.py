"""How a Redis is connected to: the URI of the user, and the bounds that are ours. Floor 3: opens nothing."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.backoff import EqualJitterBackoff
from redis.connection import Connection, parse_url
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import TimeoutError as TimedOut
from redis.retry import Retry

from nameko_salesforce.replay.store import CALL_LIMIT

__all__ = ['place_of', 'redis_options']

# A refused connection is an error after 0.35 to 0.7 s, as redis-py begins with twice the base: a Redis that
# restarts is often back by then.
RETRY = Retry(EqualJitterBackoff(cap=0.5, base=0.05), 3)

# What a text can say. redis-py takes a text for each of its options, and fails at the first call.
OPTIONS = frozenset((
    'client_name', 'db', 'decode_responses', 'health_check_interval', 'max_connections', 'password',
    'protocol', 'retry_on_timeout', 'socket_connect_timeout', 'socket_keepalive', 'socket_timeout',
    'ssl_ca_certs', 'ssl_ca_data', 'ssl_ca_path', 'ssl_cert_reqs', 'ssl_certfile', 'ssl_check_hostname',
    'ssl_ciphers', 'ssl_exclude_verify_flags', 'ssl_include_verify_flags', 'ssl_keyfile', 'ssl_min_version',
    'ssl_password', 'ssl_validate_ocsp', 'username',
))  # fmt: skip

# Its others: objects, those of another pool (`timeout`), and those that change what replies look like. Any
# further name is not shown, as it may be the rest of a password that holds a question mark.
NO_OPTIONS = frozenset((
    'command_packer', 'connection_class', 'credential_provider', 'driver_info', 'encoding', 'encoding_errors',
    'event_dispatcher', 'host', 'legacy_responses', 'lib_name', 'lib_version', 'maint_notifications_config',
    'parser_class', 'path', 'port', 'redis_connect_func', 'retry', 'retry_on_error',
    'socket_keepalive_options', 'socket_read_size', 'socket_type', 'ssl_ocsp_context',
    'ssl_ocsp_expected_cert', 'ssl_validate_ocsp_stapled', 'timeout',
))  # fmt: skip

# Seconds or connections: what lies beyond would overflow somewhere below.
LARGEST = 10**6

MAY_BE_ZERO = frozenset(['db', 'health_check_interval', 'max_connections'])


def redis_options(uri: str, limit: float = CALL_LIMIT) -> dict[str, Any]:
    """What a connection pool of redis-py is made with; opens nothing.

    Raises:
        ValueError: an option of the URI is not known or has a value of no use.
    """
    _check_names(uri)
    ours: dict[str, Any] = {
        # So that one connection that went silent, behind a firewall say, leaves time for another.
        'socket_timeout': limit / 2,
        'retry': RETRY,
        # By default in later versions of redis-py; early ones repeat no command without it.
        'retry_on_error': [ConnectionFailed, TimedOut],
        # Understood by every server and proxy.
        'protocol': 2,
    }
    try:
        said = parse_url(uri)  # type: ignore[no-untyped-call]  # redis-py
    except ValueError as problem:  # names the option, without its value
        raise ValueError(f'a URI with usable options ({problem})') from None
    if 'path' not in said:
        ours |= {'socket_connect_timeout': limit / 2, 'socket_keepalive': True}
    kind: type[Connection] = said.get('connection_class', Connection)
    for name, value in said.items():
        if name != 'connection_class' and not _is_of_use(kind, name, value):
            raise ValueError(f'a URI whose option {name} has a usable value')
    if 'ssl_keyfile' in said and 'ssl_certfile' not in said:
        raise ValueError('a URI with ssl_certfile where it has ssl_keyfile')
    return {**ours, **said, 'decode_responses': False}


def _check_names(uri: str) -> None:
    for name in parse_qs(urlsplit(uri).query):
        if name in NO_OPTIONS:
            raise ValueError(f'a URI without the option {name}, which has no use here')
        if name not in OPTIONS:
            raise ValueError(f'a URI without other options than {", ".join(sorted(OPTIONS))}')


def _is_of_use(kind: type[Connection], name: str, value: Any) -> bool:
    """Whether a connection can be made with it, and no call fails for it alone."""
    if isinstance(value, bool):
        usable = True
    elif isinstance(value, int | float):
        usable = 0 <= value <= LARGEST and (value > 0 or name in MAY_BE_ZERO)
    elif name == 'ssl_ca_data':
        usable = value.isascii()
    else:
        # No file has such a name.
        usable = not (name.startswith('ssl_') and '\0' in value)
    if usable and name != 'max_connections':  # which is the pool's
        try:
            kind(**{name: value})
        except Exception:  # of many kinds, and with the value
            usable = False
    return usable


def place_of(options: Mapping[str, Any]) -> str:
    """Where a Redis is, without credentials and options."""
    number = options.get('db', 0)
    if 'path' in options:
        return f'unix://{options["path"]}, database {number}'
    return f'redis://{options.get("host", "localhost")}:{options.get("port", 6379)}/{number}'
