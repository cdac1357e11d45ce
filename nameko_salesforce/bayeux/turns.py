"""Turns for other green threads while one reads what comes faster than it is read. Floor 2.

A green socket switches only where it has to wait. A sender that is as fast as we are, or one that has
compressed a gigabyte into a megabyte, would stop everybody else in the process.
"""

from collections.abc import Callable
from typing import Any

import eventlet

from nameko_salesforce.bayeux.response import PIECE

__all__ = ['Turns', 'receiving']

# Bytes that reading a piece costs as much as: TLS gives records of one byte one by one.
_CALL = 512


class Turns:
    """Counts work, and lets everybody else run after each `PIECE` bytes of it."""

    def __init__(self) -> None:
        self._unbroken = 0

    def count(self, size: int) -> None:
        """Count a piece of `size` bytes; may switch."""
        self._unbroken += size + _CALL
        if self._unbroken >= PIECE:
            self._unbroken = 0
            eventlet.sleep(0)


def receiving(sock: Any) -> Callable[[], bytes]:
    """What a `ResponseReader` calls for the bytes of a green socket."""
    turns = Turns()

    def receive() -> bytes:
        data: bytes = sock.recv(PIECE)
        turns.count(len(data))
        return data

    return receive
