"""How much there is to do, and when that is enough. Floor 4: pure.

Events that are not done are counted, with the text that they came in. Above the limit the brake is put on,
and taken off below half of it, so that it is not at every event; from twice the limit on the load is full.
"""

import math
from collections.abc import Callable

__all__ = ['Load']


class Load:
    """What is not done, of all channels that go on.

    Args:
        limit: events above which the brake is put on.
        characters: of their text, the same.
        brake, release: called when it is put on and taken off.

    Attributes:
        events, characters: that are not done.
        is_braked: the brake is on.
    """

    def __init__(
        self, limit: int, characters: int, brake: Callable[[], None], release: Callable[[], None]
    ) -> None:
        self.events = 0
        self.characters = 0.0
        self.is_braked = False
        self._limit = limit
        self._character_limit = characters
        self._brake = brake
        self._release = release

    @property
    def is_full(self) -> bool:
        """Nothing more is to be taken on."""
        return self.events >= 2 * self._limit or self.characters >= 2 * self._character_limit

    def room(self, characters: float) -> int:
        """Events that can be taken on before it is full, of so many characters each."""
        if self.is_full:
            return 0
        room = 2 * self._limit - self.events
        if characters:
            room = min(room, math.ceil((2 * self._character_limit - self.characters) / characters))
        return room

    def change(self, events: int, characters: float) -> None:
        """So many more are not done, or less."""
        self.events += events
        self.characters += characters
        if not self.is_braked:
            if self.events > self._limit or self.characters > self._character_limit:
                self.is_braked = True
                self._brake()
        elif self.events <= self._limit // 2 and self.characters <= self._character_limit // 2:
            self.is_braked = False
            self._release()
