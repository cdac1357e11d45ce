"""The store that a URI means. Floor 3: an edge, as the stores are.

Each kind is imported when it is asked for, so that a service with a file does not load redis-py.
"""

import time
from collections.abc import Callable

from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.store import CALL_LIMIT, DEAD_LETTER_LIMIT, Owner, Store
from nameko_salesforce.replay.uri import StoreKind, read_uri

__all__ = ['check_uri', 'open_store']


def check_uri(uri: str) -> str:
    """Find everything that is wrong with the URI of a store, without opening it.

    Returns:
        The URI.
    Raises:
        ValueError: with what it has to be, and without the URI.
    """
    if read_uri(uri).kind is StoreKind.REDIS:
        from nameko_salesforce.replay.redis_options import redis_options

        redis_options(uri)
    return uri


def open_store(
    uri: str,
    *,
    organization: str,
    service: str,
    dead_letter_limit: int = DEAD_LETTER_LIMIT,
    limit: float = CALL_LIMIT,
    old_ttl: float | None = None,
    clock: Callable[[], float] = time.time,
) -> Store:
    """The store of one service. Does no I/O: a store that is down fails at its first call, which can be
    repeated.

    Args:
        uri: `redis://`, `rediss://`, `unix://`, `sqlite:///file`, `sqlite:////absolute/file` or `memory://`.
        organization: id of the org that the login named.
        service: name of the Nameko service.
        dead_letter_limit: dead letters that are kept for the service.
        limit: seconds that a call may take.
        old_ttl: PUSHTOPIC_REPLAY_TTL, for positions that version 1.2 left in Redis; None: it was not set.
        clock: gives seconds since 1970.
    Raises:
        ValueError: the URI is of no use, as `check_uri` says; or no such id or name can be.
    """
    owner = Owner(organization, service)
    found = read_uri(uri)
    match found.kind:
        case StoreKind.MEMORY:
            return MemoryStore(dead_letter_limit=dead_letter_limit)
        case StoreKind.SQLITE:
            from nameko_salesforce.replay.sqlite_store import SqliteStore

            return SqliteStore(found.path, owner, dead_letter_limit=dead_letter_limit, limit=limit)
        case StoreKind.REDIS:
            from nameko_salesforce.replay.redis_store import OLD_TTL, RedisStore

            return RedisStore(
                uri,
                owner,
                dead_letter_limit=dead_letter_limit,
                limit=limit,
                old_ttl=OLD_TTL if old_ttl is None else old_ttl,
                clock=clock,
            )
