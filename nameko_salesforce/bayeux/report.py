"""The log of one client: a line for each change, in words that say what comes next, and counts. Floor 2.

Levels: ERROR where something is lost or given up, WARNING while the stream does not flow and when it
flows again, INFO for the rest that somebody may look for, DEBUG for steps between and for the traffic.
"""

import logging
from collections.abc import Callable

from nameko_salesforce.bayeux.effects import BrakeChanged, ChannelChanged, Send, StateChanged
from nameko_salesforce.bayeux.messages import Incoming, Skipped
from nameko_salesforce.bayeux.transitions import ChannelState, State

__all__ = ['Report']

log = logging.getLogger('nameko_salesforce.bayeux')


class Report:
    """What a client writes.

    Args:
        url: gives the server's URL, which begins each line.
        replayed: whether all channels are brought again what they missed.
        clock: seconds, monotonic.

    Attributes:
        since: by `clock`, when the connection came where it is.
        losses: cause -> how often the connection was lost for it. The cause is the code of the server's
            error, or the kind of the failure.
    """

    def __init__(
        self, url: Callable[[], str], clock: Callable[[], float], replayed: Callable[[], bool]
    ) -> None:
        self._url = url
        self._replayed = replayed
        self._clock = clock
        self.since = clock()
        self.losses: dict[str, int] = {}
        self._state = State.IDLE
        self._broken_at: float | None = None
        self._attempts = 0
        self._new_session = False
        self._brake_exceeded = False

    def state_changed(self, change: StateChanged) -> None:
        """One line per change."""
        if change.new is not change.old:
            self.since = self._clock()
        self._state = change.new
        move = f'{change.old.name} -> {change.new.name}'
        if change.wait is not None:
            self._broken(change)
            session = 'with the same session' if change.new is State.RECONNECTING else 'with a new session'
            self._write(
                logging.WARNING,
                f'{move}: {change.why}; failure {change.failures}, '
                f'next attempt in {change.wait:.1f} s, {session}',
            )
        elif change.new is State.HALTED and change.old is not State.DISCONNECTING and change.why != 'stopped':
            self._broken_at = None
            self._write(
                logging.ERROR,
                f'{move}: given up: {change.why}. No further attempt is made, and no event comes until it is '
                'started again',
            )
        elif change.new is State.CONNECTED and self._broken_at is not None:
            self._connected_again(move)
        elif change.new in (State.CONNECTED, State.DISCONNECTING, State.HALTED):
            self._write(logging.INFO, f'{move}: {change.why}')
        else:
            self._write(logging.DEBUG, f'{move}: {change.why}')

    def channel_changed(self, change: ChannelChanged) -> None:
        """One line per change; a refusal that repeats itself is not a change."""
        match change.state:
            case ChannelState.REFUSED:
                wait = '' if change.wait is None else f'; next attempt in {change.wait:.1f} s'
                self._write(logging.WARNING, f'channel {change.channel} is refused: {change.reason}{wait}')
            case ChannelState.WANTED:
                level = logging.DEBUG if self._state is State.HALTED else logging.INFO
                self._write(level, f'channel {change.channel} waits to be subscribed: {change.reason}')
            case ChannelState.PAUSED:
                self._write(logging.INFO, f'channel {change.channel} is paused: {change.reason}')
            case _:
                self._write(logging.INFO, f'channel {change.channel} is {change.state.value}')

    def brake_changed(self, change: BrakeChanged) -> None:
        """One line per change; it is ordinary life while it does not last."""
        level = logging.WARNING if change.exceeded or self._brake_exceeded else logging.DEBUG
        self._brake_exceeded = change.exceeded
        if change.exceeded:
            what = f'braked for {change.lasted:.1f} s: polls go on; durable channels, if any, are paused'
        elif change.on:
            what = 'braked: the next poll waits'
        else:
            what = f'released after {change.lasted:.1f} s'
        self._write(level, what)

    def skipped(self, message: Skipped) -> None:
        """A message that was read past."""
        channel = message.channel or 'an unknown channel'
        self._write(
            logging.ERROR,
            f'a message of {message.size} characters on {channel} was skipped: {message.reason}',
        )

    def ignored(self, what: str) -> None:
        """Something that belongs to nothing outstanding."""
        self._write(logging.DEBUG, f'ignored: {what}')

    def slow_callbacks(self) -> None:
        """The reading of the stream waits for callbacks."""
        self._write(logging.WARNING, 'callbacks do not keep up; nothing is read until they do')

    @staticmethod
    def sent(command: Send) -> None:
        """The traffic out."""
        if log.isEnabledFor(logging.DEBUG):
            for request in command.requests:
                log.debug('> exchange %d: %s id=%s', command.exchange, request.channel, request.id)

    @staticmethod
    def received(exchange: int, messages: list[Incoming]) -> None:
        """The traffic in."""
        if log.isEnabledFor(logging.DEBUG):
            for message in messages:
                log.debug('< exchange %d: %s', exchange, _short(message))

    def _broken(self, change: StateChanged) -> None:
        if self._broken_at is None:
            self._broken_at, self._attempts, self._new_session = self._clock(), 0, False
            # All that is particular comes behind the first colon.
            cause = change.why.partition(':')[0]
            self.losses[cause] = self.losses.get(cause, 0) + 1
        self._attempts += 1
        self._new_session = self._new_session or change.new is not State.RECONNECTING

    def _connected_again(self, move: str) -> None:
        assert self._broken_at is not None
        lasted, self._broken_at = self._clock() - self._broken_at, None
        session = (
            f'a new session: what was published meanwhile {self._meanwhile()}'
            if self._new_session
            else 'the same session'
        )
        attempts = 'one failed attempt' if self._attempts == 1 else f'{self._attempts} failed attempts'
        after = f'after {lasted:.1f} s and {attempts}'
        self._write(logging.WARNING, f'{move}: connected again {after}, with {session}')

    def _meanwhile(self) -> str:
        return 'comes again by replay' if self._replayed() else 'may be lost'

    def _write(self, level: int, text: str) -> None:
        log.log(level, '%s: %s', self._url(), text)


def _short(message: Incoming) -> str:
    text = repr(message)
    return text if len(text) <= 200 else text[:200] + '...'
