"""A TCP relay that can hold back what clients say, and deliver it later, when they have long gone.

As a server that stands still does, whose kernel goes on taking bytes; but here the test decides when and in
which order they arrive. For a process that is monkey-patched.
"""

from types import TracebackType
from typing import Self

import eventlet

__all__ = ['Relay']


class Relay:
    """Between clients and one server of the loopback.

    Args:
        port: of the server.

    Attributes:
        holding: what clients say from now on is kept.
    """

    def __init__(self, port: int) -> None:
        self.holding = False
        self._to = port
        self._held: list[tuple[eventlet.greenio.GreenSocket, bytes]] = []
        self._listener = eventlet.listen(('127.0.0.1', 0))
        self._threads = [eventlet.spawn(self._accept)]
        self._sockets = [self._listener]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for thread in self._threads:
            thread.kill()
        for each in self._sockets:
            each.close()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def held(self) -> int:
        """Bytes kept."""
        return sum(len(data) for _, data in self._held)

    def release(self) -> None:
        """Deliver what was kept, and hold nothing any more."""
        self.holding = False
        held, self._held = self._held, []
        for server, data in held:
            server.sendall(data)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = eventlet.connect(('127.0.0.1', self._to))
            self._sockets += [client, server]
            self._threads.append(eventlet.spawn(self._carry, client, server, True))
            self._threads.append(eventlet.spawn(self._carry, server, client, False))

    def _carry(
        self, source: eventlet.greenio.GreenSocket, target: eventlet.greenio.GreenSocket, holds: bool
    ) -> None:
        try:
            while data := source.recv(65_536):
                if holds and self.holding:
                    self._held.append((target, data))
                else:
                    target.sendall(data)
        except OSError:
            pass  # one of the two has gone
