"""A store that ends with its process. Floor 3.

Letters are kept as the text that every store keeps, so that a handler that works on its event later changes
none, and what another store cannot keep of an event is not kept here either. Positions cannot change.
"""

from collections.abc import Mapping

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import (
    DEAD_LETTER_LIMIT,
    DeadLetter,
    channel_name,
    check_count,
    letter_from_json,
    letter_to_json,
    number_after,
    number_of,
)

__all__ = ['MemoryStore']


class MemoryStore:
    """Positions and letters of one service, in this object alone.

    Args:
        dead_letter_limit: letters that are kept.
    """

    place = 'memory'
    lasting = False

    def __init__(self, *, dead_letter_limit: int = DEAD_LETTER_LIMIT) -> None:
        self._limit = dead_letter_limit
        self._positions: dict[str, Position] = {}
        self._letters: dict[int, str] = {}
        self._last = 0

    def load(self, channel: str) -> Position | None:
        return self._positions.get(channel_name(channel))

    def save(self, positions: Mapping[str, Position]) -> None:
        self._positions.update({channel_name(channel): each for channel, each in positions.items()})

    def add_dead_letter(self, letter: DeadLetter) -> int:
        self._last += 1
        self._letters[self._last] = letter_to_json(letter)
        dropped = max(0, len(self._letters) - self._limit)
        for _ in range(dropped):
            del self._letters[next(iter(self._letters))]
        return dropped

    def dead_letters(
        self,
        *,
        channel: str | None = None,
        newest_first: bool = False,
        after: str | None = None,
        count: int = 100,
    ) -> list[DeadLetter]:
        check_count(count)
        start = number_after(after)
        page: list[DeadLetter] = []
        for number in sorted(self._letters, reverse=newest_first):
            if start is not None and (number >= start if newest_first else number <= start):
                continue
            letter = self._letter(number)
            if channel is None or without_filter(letter.channel) == without_filter(channel):
                page.append(letter)
            if len(page) >= count:
                break
        return page

    def dead_letter(self, number: str) -> DeadLetter | None:
        found = number_of(number)
        return None if found is None or found not in self._letters else self._letter(found)

    def remove_dead_letter(self, number: str) -> bool:
        found = number_of(number)
        return found is not None and self._letters.pop(found, None) is not None

    def count_dead_letters(self) -> int:
        return len(self._letters)

    def close(self) -> None:
        """There is nothing to close; what it keeps stays."""

    def _letter(self, number: int) -> DeadLetter:
        return letter_from_json(self._letters[number], str(number))
