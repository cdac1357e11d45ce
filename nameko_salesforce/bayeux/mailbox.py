"""Between the lanes and the callbacks: what arrived and is not handled yet. Floor 2.

A lane puts and then waits for room, so that a slow callback slows the reading of the socket and
not the growth of memory. It puts *before* it waits: a lane that is killed while waiting has
handed over what it read.
"""

from collections import deque
from typing import Any

from eventlet.event import Event

__all__ = ['Mailbox']


class Mailbox:
    """First in, first out, for one taker.

    Args:
        limit: deliveries above which `wait_for_room` waits. One put may pass it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[tuple[Any, int]] = deque()
        self._size = 0
        self._filled: Event | None = None
        self._emptied: Event | None = None

    def __len__(self) -> int:
        """Deliveries waiting."""
        return self._size

    def put(self, item: Any, size: int = 0) -> None:
        """Add an item that holds `size` deliveries. Never waits."""
        self._items.append((item, size))
        self._size += size
        if self._filled is not None:
            filled, self._filled = self._filled, None
            filled.send()

    def take(self) -> Any:
        """The oldest item, which stays until `taken`; waits for one."""
        while not self._items:
            self._filled = Event()
            self._filled.wait()
        return self._items[0][0]

    def taken(self) -> None:
        """The item last taken is handled."""
        _, size = self._items.popleft()
        self._size -= size
        if self._emptied is not None and self._size <= self._limit:
            emptied, self._emptied = self._emptied, None
            emptied.send()

    def wait_for_room(self) -> None:
        """Return at once while at most `limit` deliveries wait, else when it is so again."""
        while self._size > self._limit:
            if self._emptied is None:
                self._emptied = Event()
            self._emptied.wait()
