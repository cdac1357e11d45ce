"""What a store of positions and dead letters is, and how it names things. Floor 3: pure.

    StoreFailed                 the backend did not do it; the text holds no credentials and no event
    `-- StoreUnreadable         it holds something that this version cannot read; another try will not help

Promises of every store:
- **Whose.** A store belongs to one service at one organization (`Owner`), and two owners never meet, whatever
  their names look like. Within it a channel is its name without a filter: positions count events of the
  channel.
- **Bounded.** A call takes at most 2 s by default, and raises `StoreFailed` instead of anything of its
  backend.
- **All or nothing.** `save` keeps all its positions in one round trip, or raises. After a failure they may
  be kept or not; saving newer ones is always right, and an older save that is still on its way never undoes
  a newer one.
- **No expiry.** A position stays until it is overwritten. How old it may be is for its reader to judge.
- **Nothing vanishes.** A dead letter stays until it is removed or the bound drops it, which `add_dead_letter`
  tells. One whose adding failed may be there all the same: adding it again can keep it twice, never lose it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.options import is_count
from nameko_salesforce.bayeux.texts import shown
from nameko_salesforce.ids import full_id
from nameko_salesforce.replay.position import Position, ReplayId, is_replay_id, is_time

__all__ = [
    'CALL_LIMIT',
    'DEAD_LETTER_LIMIT',
    'WITHOUT_LETTER',
    'WITHOUT_POSITION',
    'DeadLetter',
    'Owner',
    'Store',
    'StoreFailed',
    'StoreUnreadable',
    'channel_name',
    'check_count',
    'letter_from_json',
    'letter_to_json',
    'number_after',
    'number_of',
    'safe_name',
]

# Per service. Letters hold whole events, 1 MB each at most and 1 to 10 kB as a rule: 10 to 100 MB.
DEAD_LETTER_LIMIT = 10_000

# Seconds for one call.
CALL_LIMIT = 2.0

LETTER_VERSION = 1

# Ways out of `StoreUnreadable`.
WITHOUT_POSITION = 'remove it, and the channel begins as at a first start'
WITHOUT_LETTER = 'remove it, and the others can be read'

_PLAIN = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./')


class StoreFailed(Exception):
    """A store could not do what it was asked for: it is down, full, locked, or not what it should be.

    Another try may help.
    """


class StoreUnreadable(StoreFailed):
    """The store holds something that this version cannot read; it is left as it is.

    Never taken for "nothing is kept": the service would then begin at the newest event without a word.
    """


def safe_name(text: str) -> str:
    """A name for keys: plain characters as they are, others as `%XX`. Different texts, different names."""
    if _PLAIN.issuperset(text):
        return text
    return ''.join(
        each if each in _PLAIN else ''.join(f'%{byte:02X}' for byte in each.encode('utf-8', 'surrogatepass'))
        for each in text
    )


def number_of(text: str) -> int | None:
    """The number of a letter where letters are counted; None: it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def number_after(after: str | None) -> int | None:
    """Where a page begins, where letters are counted; None: at the first one.

    Raises:
        ValueError: it is no number of a letter.
    """
    found = None if after is None else number_of(after)
    if after is not None and found is None:
        raise ValueError(f'{after!r} is no number of a dead letter')
    return found


def check_count(count: int) -> None:
    """Raises ValueError: it is no number of letters that a page can have."""
    if not is_count(count):
        raise ValueError(f'count is a whole number above 0, not {shown(count)}')


def channel_name(channel: str) -> str:
    """The name of a channel in keys: without its filter, and safe."""
    return safe_name(without_filter(channel))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose positions they are. Ids restart in another org, and two services move on their own.

    Attributes:
        organization: id of the org, from the login; kept with 18 characters.
        service: name of the Nameko service.
    """

    organization: str
    service: str

    def __post_init__(self) -> None:
        object.__setattr__(self, 'organization', full_id(self.organization))
        if not self.service:
            raise ValueError('a service has a name')

    @property
    def key(self) -> str:
        """Both in one name; neither can hold the colon."""
        return f'{self.organization}:{safe_name(self.service)}'


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that a handler could not take, with all that is needed to run it again.

    Attributes:
        channel: as subscribed to.
        handler: name of the method.
        data: the event's data.
        replay_id: of the event, None where it has none.
        error_type: name of the exception's class.
        error: its text.
        attempts: how often the handler was called.
        first_at, last_at: seconds since 1970, of the first and the last attempt.
        number: given by the store; opaque, and of use in that store alone.
    """

    channel: str
    handler: str
    data: Any
    replay_id: ReplayId | None
    error_type: str
    error: str
    attempts: int
    first_at: float
    last_at: float
    number: str | None = None


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception as problem:
        return f'<{type(value).__name__} that cannot be shown: {type(problem).__name__}>'


def letter_to_json(letter: DeadLetter) -> str:
    """ASCII. What JSON cannot hold of the data, which a handler may have changed, becomes its `repr`.

    Raises nothing, whatever the data is: a letter that cannot be kept would be an event that vanishes.
    """
    said = asdict(replace(letter, data=None))
    del said['number'], said['data']
    try:
        data = json.dumps(letter.data, default=_shown)
    except Exception:  # too deep, in a circle, of keys that are no texts, or what its own classes raise
        data = json.dumps(_shown(letter.data))
    # `data` is spelled already.
    return json.dumps({'v': LETTER_VERSION, **said})[:-1] + f', "data": {data}}}'


def letter_from_json(text: str, number: str) -> DeadLetter:
    """Read what `letter_to_json` wrote, here or in a later version; fields that are not known here are
    ignored.

    Raises:
        ValueError: it is no letter, or one that this version cannot read.
    """
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError('no dead letter') from None
    if not isinstance(found, dict) or not isinstance(found.get('v'), int) or found['v'] > LETTER_VERSION:
        raise ValueError('no dead letter that this version reads')
    texts = ('channel', 'handler', 'error_type', 'error')
    numbers = ('attempts', 'first_at', 'last_at')
    replay_id = found.get('replay_id')
    if not (
        all(isinstance(found.get(name), str) for name in texts)
        and all(is_time(found.get(name)) for name in numbers)
        and (replay_id is None or is_replay_id(replay_id))
        and 'data' in found
    ):
        raise ValueError('no dead letter')
    return DeadLetter(
        **{name: found[name] for name in (*texts, *numbers, 'data')}, replay_id=replay_id, number=number
    )


class Store(Protocol):
    """See the head of this module for what every call promises.

    For the green threads of one native thread, several at a time. No call is made by `__init__`.
    """

    @property
    def place(self) -> str:
        """Where it is, for log lines: without credentials."""

    @property
    def lasting(self) -> bool:
        """Whether what it keeps outlives this process."""

    def load(self, channel: str) -> Position | None:
        """What is kept for a channel; None: nothing.

        Raises:
            StoreUnreadable: something is kept that this version cannot read. StoreFailed: otherwise.
        """

    def save(self, positions: Mapping[str, Position]) -> None:
        """Keep these, one for each channel.

        Raises:
            StoreFailed: they may be kept or not.
        """

    def add_dead_letter(self, letter: DeadLetter) -> int:
        """Keep a letter, whatever its `number` says.

        Returns:
            How many of the oldest were dropped for it, because of the bound.
        Raises:
            StoreFailed: it may be kept or not.
        """

    def dead_letters(
        self,
        *,
        channel: str | None = None,
        newest_first: bool = False,
        after: str | None = None,
        count: int = 100,
    ) -> list[DeadLetter]:
        """A page of letters.

        Args:
            channel: of this channel alone, with whatever filter.
            newest_first: in this order; else as they were added.
            after: number of the last letter of the page before, which may have been removed since.
            count: of letters, >= 1; a shorter page is the last one.
        Raises:
            StoreFailed. ValueError: `after` is no number of this store, or `count` none of letters.
        """

    def dead_letter(self, number: str) -> DeadLetter | None:
        """The letter of this number; None: there is none.

        Raises:
            StoreFailed.
        """

    def remove_dead_letter(self, number: str) -> bool:
        """Drop a letter for good.

        Returns:
            Whether it was there.
        Raises:
            StoreFailed: it may be there still or not.
        """

    def count_dead_letters(self) -> int:
        """How many letters the service has.

        Raises:
            StoreFailed.
        """

    def close(self) -> None:
        """End connections; a later call opens them again. Any number of times. Raises nothing."""
