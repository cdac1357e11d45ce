"""How a Redis is connected to: the URI of the user, and the bounds that are ours. Floor 3: opens nothing."""

from collections.abc import Mapping
from typing import Any

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

# What parse_url gives and a connection does not take.
POOL_OPTIONS = frozenset(['connection_class', 'max_connections', 'timeout'])


def redis_options(uri: str, limit: float = CALL_LIMIT) -> dict[str, Any]:
    """What a connection pool of redis-py is made with; opens nothing.

    Raises:
        ValueError: an option of the URI is not known or has a value of no use.
    """
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
        raise ValueError(f'a URI with options of use ({problem})') from None
    if 'path' not in said:
        ours |= {'socket_connect_timeout': limit / 2, 'socket_keepalive': True}
    options = {**ours, **said, 'decode_responses': False}
    kind: type[Connection] = options.get('connection_class', Connection)
    try:
        kind(**{name: value for name, value in options.items() if name not in POOL_OPTIONS})
    except Exception:  # of many kinds, and with the value
        raise ValueError('a URI with options that redis-py knows and can use') from None
    return options


def place_of(options: Mapping[str, Any]) -> str:
    """Where a Redis is, without credentials and options."""
    number = options.get('db', 0)
    if 'path' in options:
        return f'unix://{options["path"]}, database {number}'
    return f'redis://{options.get("host", "localhost")}:{options.get("port", 6379)}/{number}'
