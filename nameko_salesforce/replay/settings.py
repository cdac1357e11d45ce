"""Where positions are kept: the keys of section SALESFORCE for it. Floor 3: reads a dict, opens nothing.

`REPLAY_STORE_URI` names any store. The two keys of 1.2, one to switch and one for a Redis, go on meaning
what they meant there, and may stand beside it as long as they say the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nameko_salesforce.bayeux.section import Key, flag, line, whole
from nameko_salesforce.replay.store import DEAD_LETTER_LIMIT
from nameko_salesforce.replay.stores import check_uri
from nameko_salesforce.replay.uri import REDIS_SCHEMES

__all__ = ['REPLAY_KEYS', 'ReplaySettings', 'replay_settings']

MEMORY = 'memory://'


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """Where positions in the streams and dead letters are kept.

    Attributes:
        store_uri: as `replay.stores.open_store` takes it; may hold credentials, so it appears in no repr.
        ttl: seconds since its channel was last connected after which a position is of no use; None: as
            long as Salesforce keeps events of the channel's kind.
        dead_letter_limit: dead letters that are kept for the service.
        chosen: somebody named the store.
    """

    store_uri: str = field(default=MEMORY, repr=False)
    ttl: int | None = None
    dead_letter_limit: int = DEAD_LETTER_LIMIT
    chosen: bool = False

    @property
    def lasting(self) -> bool:
        """Whether positions outlive the process."""
        return self.store_uri != MEMORY


def _redis_uri(value: Any) -> str:
    uri = line(value)
    if uri.partition('://')[0] not in REDIS_SCHEMES:
        raise ValueError('a URI such as redis://:password@host:6379/0')
    return check_uri(uri)


REPLAY_KEYS: Mapping[str, Key] = {
    'REPLAY_STORE_URI': Key('replay', 'store_uri', lambda value: check_uri(line(value))),
    'PUSHTOPIC_REPLAY_ENABLED': Key('of_1_2', 'enabled', flag),
    'PUSHTOPIC_REPLAY_REDIS_URI': Key('of_1_2', 'redis_uri', _redis_uri),
    'PUSHTOPIC_REPLAY_TTL': Key('replay', 'ttl', whole),
    'DEAD_LETTER_LIMIT': Key('replay', 'dead_letter_limit', whole),
}


def replay_settings(
    section: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]], problems: list[str]
) -> ReplaySettings:
    """What `REPLAY_KEYS` have given; adds a problem where two of them contradict each other.

    Args:
        section: as it was given: a key with a value of no use has its own problem, and counts as given.
        parts: what `read_section` made of it.
    """
    of_1_2 = parts['of_1_2']
    enabled, redis_uri = of_1_2.get('enabled'), of_1_2.get('redis_uri')
    store_uri = parts['replay'].get('store_uri')
    if 'REPLAY_STORE_URI' not in section:
        if enabled and 'PUSHTOPIC_REPLAY_REDIS_URI' not in section:
            problems.append(
                'PUSHTOPIC_REPLAY_REDIS_URI is missing, or PUSHTOPIC_REPLAY_ENABLED is one too many'
                ' (REPLAY_STORE_URI alone does for both)'
            )
    elif enabled is False:
        problems.append('PUSHTOPIC_REPLAY_ENABLED is false although there is a REPLAY_STORE_URI: remove one')
    if None not in (store_uri, redis_uri) and store_uri != redis_uri:
        problems.append('REPLAY_STORE_URI and PUSHTOPIC_REPLAY_REDIS_URI differ: remove the latter')
    chosen = store_uri or (redis_uri if enabled else None)
    named = {'store_uri': chosen or MEMORY, 'chosen': chosen is not None}
    return ReplaySettings(**{**parts['replay'], **named})
