"""Which events of a channel one handler may have side by side. Floor 4, without I/O: pure.

`keys_of` reads what an event is about; a `Line` lets an event go once all earlier ones with a key of its
own are done. A retry changes nothing here: an event that was taken holds its keys until `end`.

Orders of a line
    record    one after another by key, the rest side by side; an event about unknown records is a
              barrier: it waits for all before it, and all behind it wait for it
    channel   one after another
    none      side by side
"""

import heapq
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum
from typing import Any, Final, Generic, NamedTuple, TypeVar

from nameko_salesforce.ids import full_id

__all__ = ['BARRIER', 'Barrier', 'Key', 'Keyless', 'Keys', 'Line', 'Order', 'Place', 'keys_of']

Content = TypeVar('Content')
Key = Callable[[Any], Hashable | None]


class Order(Enum):
    """As the decorators take it: `order='record'`."""

    RECORD = 'record'
    CHANNEL = 'channel'
    NONE = None


class Barrier(Enum):
    """What an event stands for that does not tell all of its records."""

    BARRIER = 'all records'


class Keyless(NamedTuple):
    """No key could be had from a user's callable: the event is unordered.

    Attributes:
        error: what it raised; an `eventlet.Timeout` of its own as well.
    """

    error: BaseException


BARRIER: Final = Barrier.BARRIER
Keys = tuple[Hashable, ...] | Barrier | Keyless

# The whole channel in the order of that name.
CHANNEL = ('',)


def keys_of(data: Any, key: Key | None = None) -> Keys:
    """What an event is about. Never raises.

    Args:
        data: of a delivery.
        key: called with it instead of looking for record ids; gives one hashable key, None for an
            unordered event. Record ids of 15 and of 18 characters are one here, too.
    Returns:
        Keys, none of an unordered event: the record of a PushTopic's notification, the records of a
        change event; `BARRIER` of a change event that overflowed or names its records by a wildcard
        (`001*`); `Keyless` where `key` failed.
    """
    if key is not None:
        return _key_by(key, data)
    if not isinstance(data, dict):
        return ()
    sobject = data.get('sobject')
    if isinstance(sobject, dict):
        record_id = sobject.get('Id')
        return (_short(record_id),) if isinstance(record_id, str) else ()
    payload = data.get('payload')
    header = payload.get('ChangeEventHeader') if isinstance(payload, dict) else None
    return _records(header) if isinstance(header, dict) else ()


def _records(header: dict[str, Any]) -> Keys:
    if header.get('changeType') == 'GAP_OVERFLOW':
        return BARRIER
    ids = header.get('recordIds')
    if not isinstance(ids, list):
        return ()
    keys = [_short(each) for each in ids if isinstance(each, str)]
    for each in keys:
        if each[-1:] == '*':
            return BARRIER
    return tuple(keys)


def _key_by(key: Key, data: Any) -> Keys:
    try:
        value = key(data)
        hash(value)
    except BaseException as error:
        # `eventlet.Timeout` is no Exception. It bears this mark.
        if isinstance(error, Exception) or getattr(error, 'is_timeout', False):
            return Keyless(error)
        raise
    if value is None:
        return ()
    return (_short(value) if isinstance(value, str) and _is_full_id(value) else value,)


def _is_full_id(text: str) -> bool:
    """Whether the last three of 18 characters follow from the others; any other text is left as it is."""
    try:
        return len(text) == 18 and full_id(text[:15]) == text
    except ValueError:
        return False


def _short(record_id: str) -> str:
    """The form of 15 characters, which tells records apart; the other three only repeat it."""
    return record_id[:15] if len(record_id) == 18 else record_id


class Place(Generic[Content]):
    """One event's place in a line. Equal to itself alone.

    Attributes:
        content: as added.
    """

    __slots__ = ('_blockers', '_followers', '_keys', '_number', '_taken', 'content')

    def __init__(self, content: Content, number: int, keys: tuple[Hashable, ...] | Barrier) -> None:
        self.content = content
        self._number = number
        self._keys = keys
        self._blockers = 0  # earlier ones that are not ended
        # Has an entry for each blocker of theirs that this is.
        self._followers: list[Place[Content]] | None = None
        self._taken = False

    def __lt__(self, other: 'Place[Content]') -> bool:
        """Earlier in the line."""
        return self._number < other._number


class Line(Generic[Content]):
    """The events of one handler that are not done: who waits for whom.

    Invariants:
        - Of all places with a common key that are not ended, only the earliest may be taken, or together
          with it, in one batch, those that follow it.
        - A place is linked to the barrier before it, and to the last place of each of its keys behind that; a
          barrier besides to the last place of every key and to those without one. So a call costs in the mean
          no more than the event has keys.
    """

    def __init__(self, order: Order) -> None:
        # Of every event; None where its own count.
        self._keys = {Order.CHANNEL: CHANNEL, Order.NONE: ()}.get(order)
        self._free: deque[Place[Content]] = deque()
        # Places so far.
        self._added = 0
        self._begun = 0
        self._ended = 0
        # Those behind the last barrier that are not ended.
        self._tails: dict[Hashable, Place[Content]] = {}
        self._keyless: dict[Place[Content], None] = {}
        self._barrier: Place[Content] | None = None

    @property
    def waiting(self) -> int:
        """Places that are not taken."""
        return self._added - self._begun

    @property
    def taken(self) -> int:
        """Places that are taken and not ended."""
        return self._begun - self._ended

    @property
    def free(self) -> int:
        """Places that can be taken one by one."""
        return len(self._free)

    def add(self, content: Content, keys: Keys) -> Place[Content]:
        """Put an event at the end of the line."""
        if self._keys is not None:
            keys = self._keys
        elif isinstance(keys, Keyless):
            keys = ()
        self._added += 1
        place = Place(content, self._added, keys)
        barrier = self._barrier
        if barrier is not None:
            _block(barrier, place)
        if keys is BARRIER:
            self._put_barrier(place)
        elif keys:
            tails = self._tails
            for key in keys:
                tail = tails.get(key)
                if tail is not None and tail is not place:  # one event may name a record twice
                    _block(tail, place)
                tails[key] = place
        elif self._keys is None:
            self._keyless[place] = None
        if not place._blockers:
            self._free.append(place)
        return place

    def _put_barrier(self, place: Place[Content]) -> None:
        for each in dict.fromkeys([*self._tails.values(), *self._keyless]):
            _block(each, place)
        self._tails.clear()
        self._keyless.clear()
        self._barrier = place

    def take(self) -> Place[Content] | None:
        """The place that has been free for longest; None where none is."""
        if not self._free:
            return None
        place = self._free.popleft()
        place._taken = True
        self._begun += 1
        return place

    def take_batch(self, limit: int) -> list[Place[Content]]:
        """Up to so many places for one handler that goes through them in order, in the order of arrival.

        One may be among them that waits for nothing but others of the batch.
        """
        batch: list[Place[Content]] = []
        followers: list[Place[Content]] = []
        waits_for: dict[Place[Content], int] = {}
        free = self._free
        while len(batch) < limit and (free or followers):
            if free and not (followers and followers[0] < free[0]):
                place = free.popleft()
            else:
                place = heapq.heappop(followers)
            place._taken = True
            batch.append(place)
            for each in place._followers or ():
                waits_for[each] = left = waits_for.get(each, each._blockers) - 1
                if not left:
                    heapq.heappush(followers, each)
        self._begun += len(batch)
        batch.sort()
        return batch

    def is_free(self, places: Iterable[Place[Content]]) -> bool:
        """Whether places that were taken, in the order of arrival, wait for nothing but each other."""
        among: dict[Place[Content], int] = {}
        for place in places:
            if place._blockers > among.get(place, 0):
                return False
            for each in place._followers or ():
                among[each] = among.get(each, 0) + 1
        return True

    def end(self, place: Place[Content]) -> None:
        """A place that was taken is done with: its keys are free."""
        self._ended += 1
        keys = place._keys
        if keys is BARRIER:
            if self._barrier is place:
                self._barrier = None
        elif keys:
            tails = self._tails
            for key in keys:
                if tails.get(key) is place:
                    del tails[key]
        else:
            self._keyless.pop(place, None)
        if place._followers is not None:
            for each in place._followers:
                each._blockers -= 1
                if not each._blockers and not each._taken:
                    self._free.append(each)
            place._followers = None


def _block(earlier: Place[Content], later: Place[Content]) -> None:
    later._blockers += 1
    if earlier._followers is None:
        earlier._followers = [later]
    else:
        earlier._followers.append(later)
