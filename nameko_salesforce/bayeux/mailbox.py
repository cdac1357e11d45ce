"""Between the lanes and the callbacks: what arrived and is not handled yet. Floor 2.

A lane puts and then waits for room, so that a slow callback slows the reading of the socket and
not the growth of memory. It puts *before* it waits: a lane that is killed while waiting has
handed over what it read.
"""

from collections import deque
from typing import Any

import eventlet
from eventlet.event import Event

from nameko_salesforce.bayeux.bell import Bell

__all__ = ['Mailbox']


class Mailbox:
    """First in, first out, for one taker.

    Args:
        limit: deliveries above which `wait_for_room` waits. One put may pass it.
        characters: of their text as received, above which it waits as well. As Python objects they take a
            small multiple of that.

    Attributes:
        closed: nothing is taken any more, so that nothing is kept and nobody waits.
    """

    def __init__(self, limit: int, characters: int) -> None:
        self.closed = False
        self._limit = limit
        self._character_limit = characters
        self._items: deque[tuple[Any, int, int]] = deque()
        self._size = 0
        self._characters = 0
        self._filled = Bell()
        self._emptied: Event | None = None

    def __len__(self) -> int:
        """Deliveries waiting."""
        return self._size

    @property
    def has_room(self) -> bool:
        """Whether neither limit is passed."""
        return self._size <= self._limit and self._characters <= self._character_limit

    def put(self, item: Any, size: int = 0, characters: int = 0) -> None:
        """Add an item that holds `size` deliveries of so many characters. Never waits."""
        if self.closed:
            return
        self._items.append((item, size, characters))
        self._size += size
        self._characters += characters
        self._filled.ring()

    def take(self) -> Any:
        """The oldest item, which stays until `taken`; waits for one. None once closed."""
        while not self._items and not self.closed:
            self._filled.wait()
        return None if self.closed else self._items[0][0]

    def taken(self) -> None:
        """The item last taken is handled."""
        _, size, characters = self._items.popleft()
        self._size -= size
        self._characters -= characters
        if self.has_room:
            self._let_in()

    def wait_for_room(self, timeout: float | None = None) -> bool:
        """Return at once while there is room, else when there is again.

        Args:
            timeout: seconds; None waits for ever.
        Returns:
            Whether there is room, or the mailbox is closed.
        """
        if self.may_go_on():
            return True
        with eventlet.Timeout(timeout, False):
            while not self.may_go_on():
                if self._emptied is None:
                    self._emptied = Event()
                self._emptied.wait()
        return self.may_go_on()

    def may_go_on(self) -> bool:
        """Whether there is room, or nobody to make any."""
        return self.has_room or self.closed

    def close(self) -> None:
        """For good. Nobody waits any longer."""
        self.closed = True
        self._let_in()
        self._filled.ring()

    def _let_in(self) -> None:
        if self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.send()
