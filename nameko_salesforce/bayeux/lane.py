"""One lane: a green thread that carries out one exchange at a time on its own connection. Floor 2."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import eventlet
from greenlet import GreenletExit

from nameko_salesforce.bayeux.bell import Bell
from nameko_salesforce.bayeux.decoder import Unkept
from nameko_salesforce.bayeux.effects import Send
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Incoming, Skipped, parse
from nameko_salesforce.bayeux.transport import Connection

__all__ = ['Extension', 'LaneThread']

log = logging.getLogger('nameko_salesforce.bayeux')


class Extension(Protocol):
    """A Bayeux extension: sees every message as it is on the wire.

    Both methods run in a lane's green thread, may wait, and get a dict that is theirs to change. A method
    that raises is logged, and its message goes on unchanged.
    """

    def outgoing(self, message: dict[str, Any]) -> Mapping[str, Any]:
        """The message to send instead."""

    def incoming(self, message: dict[str, Any]) -> Mapping[str, Any] | None:
        """The message to take instead; None drops it."""


class LaneThread:
    """Carries out `Send` commands, one at a time.

    Args:
        connection: the lane's own.
        extensions: applied in order to what goes out, in reverse to what comes in.
        spawn: starts a green thread.
        received: takes messages of an exchange, by its number, with the length of their text.
        finished: takes those that came last, if they were not `received`: most responses are one piece.
        failed: takes what an exchange failed by.
        has_room: whether more may be read.
        wait_for_room: called between two pieces of a response; may block.
    """

    def __init__(
        self,
        connection: Connection,
        extensions: Sequence[Extension],
        spawn: Callable[[Callable[[], None]], Any],
        received: Callable[[int, list[Incoming], int], None],
        finished: Callable[[int, list[Incoming], int], None],
        failed: Callable[[int, Failure], None],
        has_room: Callable[[], bool],
        wait_for_room: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._extensions = extensions
        self._spawn = spawn
        self._received = received
        self._finished = finished
        self._failed = failed
        self._has_room = has_room
        self._wait_for_room = wait_for_room
        self._work: Send | None = None
        self._wake = Bell()
        self._thread: Any = None
        self._life: object = None  # of the thread; another one, or None, once it was abandoned

    def send(self, command: Send) -> None:
        """Begin an exchange. The lane is free: the session has at most one outstanding."""
        self._work = command
        if self._thread is None:
            life = self._life = object()
            wake = self._wake = Bell()
            self._thread = self._spawn(lambda: self._serve(life, wake))
        else:
            self._wake.ring()

    def abandon(self) -> None:
        """End what is under way, at once: the socket is closed, no outcome will follow.

        In the lane's own thread (an extension, or `headers`, that ends the client) it returns, and the
        thread ends by itself later.
        """
        self._work = None
        thread, self._thread = self._thread, None
        self._life = None
        if thread is not None and thread is not eventlet.getcurrent():
            # The only way to end a wait inside a socket; closing the socket from here would not.
            thread.kill()
        self._connection.close()

    def _serve(self, life: object, wake: Bell) -> None:
        while self._life is life:
            command, self._work = self._work, None
            if command is None:
                wake.wait()
                continue
            self._exchange(command, life)

    def _exchange(self, command: Send, life: object) -> None:
        connection = self._connection
        last: list[Incoming] = []

        def on_messages(messages: Sequence[dict[str, Any] | Unkept]) -> None:
            read = self._read(messages)
            if self._life is not life:
                return
            if connection.complete and self._has_room():
                last.extend(read)
            else:
                self._received(command.exchange, read, connection.characters)
                self._wait_for_room()

        try:
            outgoing = [self._outgoing(request.wire()) for request in command.requests]
            failure = connection.exchange(
                outgoing, read_timeout=command.read_timeout, on_messages=on_messages
            )
        except (Exception, eventlet.Timeout, GreenletExit) as exc:
            # A bug, or a timeout that leaked out of a `headers` callable, or the GreenletExit of another
            # green thread that it waited for. The lane must outlive it: a session whose outcome never
            # comes waits for ever.
            if self._life is not life:
                return
            log.exception('an exchange on the %s lane failed from within', command.lane.value)
            failure = Failure(FailureKind.WITHIN, repr(exc)[:200])  # nobody knows how far it got
        if self._life is not life:
            return
        # No exchange is under way from here on: what is called may begin the next.
        if failure is None:
            self._finished(command.exchange, last, connection.characters)
        else:
            self._failed(command.exchange, failure)

    def _read(self, messages: Sequence[dict[str, Any] | Unkept]) -> list[Incoming]:
        if not self._extensions:
            return [parse(each) if type(each) is dict else self._parse(each) for each in messages]
        read: list[Incoming] = []
        for message in messages:
            changed = message if isinstance(message, Unkept) else self._incoming(message)
            if changed is not None:
                read.append(self._parse(changed))
        return read

    def _parse(self, message: Mapping[str, Any] | Unkept) -> Incoming:
        if isinstance(message, Unkept):
            return Skipped(message.size, message.reason, message.channel)
        return parse(message)

    def _outgoing(self, message: dict[str, Any]) -> Mapping[str, Any]:
        changed: Mapping[str, Any] = message
        for extension in self._extensions:
            try:
                changed = extension.outgoing(dict(changed))
            except (Exception, eventlet.Timeout, GreenletExit) as exc:
                self._pass_on_our_end(exc)
                log.exception('extension %r failed on an outgoing %s', extension, message.get('channel'))
        return changed

    def _incoming(self, message: dict[str, Any]) -> Mapping[str, Any] | None:
        changed: Mapping[str, Any] | None = message
        for extension in reversed(self._extensions):
            if changed is None:
                return None
            try:
                changed = extension.incoming(dict(changed))
            except (Exception, eventlet.Timeout, GreenletExit) as exc:
                self._pass_on_our_end(exc)
                log.exception('extension %r failed on an incoming %s', extension, message.get('channel'))
        return changed

    def _pass_on_our_end(self, exc: BaseException) -> None:
        """A `GreenletExit` is either our own, or that of a green thread which an extension waited for."""
        if isinstance(exc, GreenletExit) and self._thread is not eventlet.getcurrent():
            raise exc
