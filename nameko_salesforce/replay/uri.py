"""Which store a URI means. Floor 3: pure.

Finds what is wrong with its parts, but for the options of a Redis, which `stores.check_uri` has looked at as
well. No text of an error holds the URI, whose credentials may stand at the wrong place of it.
"""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from nameko_salesforce.bayeux.options import is_file_name

__all__ = ['REDIS_SCHEMES', 'StoreKind', 'StoreUri', 'read_uri']

REDIS_SCHEMES = ('redis', 'rediss', 'unix')


class StoreKind(Enum):
    """Where positions are kept."""

    REDIS = 'redis'
    SQLITE = 'sqlite'
    MEMORY = 'memory'


@dataclass(frozen=True, slots=True)
class StoreUri:
    """A URI that was understood.

    Attributes:
        kind: of store.
        path: of the file of SQLite, relative to where the service starts or absolute; '' of the others.
    """

    kind: StoreKind
    path: str = ''


def read_uri(uri: str) -> StoreUri:
    """Understand the URI of a store.

    Raises:
        ValueError: with what it has to be.
    """
    scheme, _, rest = uri.partition('://')
    if scheme == 'memory':
        if rest:
            raise ValueError('memory:// and nothing else')
        return StoreUri(StoreKind.MEMORY)
    if scheme == 'sqlite':
        return StoreUri(StoreKind.SQLITE, _file(rest))
    if scheme in REDIS_SCHEMES:
        _check_redis(uri)
        return StoreUri(StoreKind.REDIS)
    raise ValueError(
        'a URI such as redis://:password@host:6379/0, rediss://..., unix:///path, '
        'sqlite:////var/lib/positions.db or memory://'
    )


def _file(rest: str) -> str:
    # As SQLAlchemy has taught everybody: three slashes begin a relative path, four an absolute one.
    path = rest.removeprefix('/')
    if not rest.startswith('/') or not PurePosixPath(path).name or path.endswith('/'):
        raise ValueError(
            'sqlite:///file beside the service, or sqlite:////absolute/path/of/a/file with four slashes'
        )
    if ':memory:' in path or '?' in path or '#' in path:
        raise ValueError('sqlite:/// and the path of a file, without options; memory:// keeps nothing')
    if not is_file_name(path):
        raise ValueError('sqlite:/// and a path that the system can have: no NUL, no lone surrogates')
    return path


def _check_redis(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        reachable = bool(parts.path) if parts.scheme == 'unix' else bool(parts.hostname) and parts.port != 0
    except ValueError:
        reachable = False
    if not reachable:
        raise ValueError('a URI with host and port, or unix:// and the path of a socket')
    # A password with one of these has ended too early: the rest of it would be shown as a host or a path.
    loose = parts.query and not all('=' in option for option in parts.query.split('&'))
    if loose or '#' in uri or '@' in parts.path:
        raise ValueError('a URI that has %40 for @, %2F for /, %3F for ? and %23 for # in a password or path')
    # redis-py takes database 0 where it cannot read the number: two environments would meet there.
    if parts.scheme != 'unix' and not re.fullmatch(r'/?|/[0-9]+', parts.path):
        raise ValueError('a URI whose path is the number of a database, such as /0')
