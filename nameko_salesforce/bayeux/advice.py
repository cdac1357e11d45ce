"""Advice: what the server asks of a client's next attempts, in seconds. Floor 0.

Decides how a new piece of advice changes what is held. Never decides what to do about it: that
is `policy.py`. Source: Bayeux 1.0, "Bayeux message advice field".
"""

from enum import Enum

import msgspec
from msgspec.structs import replace

__all__ = ['Advice', 'AdviceUpdate', 'Reconnect']


class Reconnect(Enum):
    """What to do when a connect has ended."""

    RETRY = 'retry'
    HANDSHAKE = 'handshake'
    NONE = 'none'


class AdviceUpdate(msgspec.Struct, frozen=True):
    """The advice of one message. None = the message does not speak of it.

    Attributes:
        reconnect: an unknown value on the wire counts as `NONE` (spec).
        interval: seconds between the end of a connect and the next; negative = do not retry.
        timeout: seconds for which the server holds a connect.
        max_interval: seconds that a session survives beyond `interval` (CometD, `handshakeReconnect`).
        multiple_clients: the server saw two sessions behind one cookie.
    """

    reconnect: Reconnect | None = None
    interval: float | None = None
    timeout: float | None = None
    max_interval: float | None = None
    multiple_clients: bool = False


class Advice(msgspec.Struct, frozen=True):
    """The advice in force. Fields as in `AdviceUpdate`; the defaults hold before any advice.

    `single_interval` is the interval to return to when the server no longer sees multiple clients.
    """

    reconnect: Reconnect = Reconnect.RETRY
    interval: float = 0.0
    timeout: float | None = None
    max_interval: float | None = None
    multiple_clients: bool = False
    single_interval: float = 0.0

    def merge(self, update: AdviceUpdate) -> 'Advice':
        """The advice after one more message: what the update does not name stays.

        Merged, not replaced as CometD Java does, so that advice of only `reconnect` keeps the timeout.
        """
        interval = self.interval if update.interval is None else update.interval
        crowded = update.multiple_clients
        if update.interval is None or crowded:
            single = self.single_interval
        else:
            single = update.interval
        return Advice(
            reconnect=update.reconnect or self.reconnect,
            interval=interval,
            timeout=self.timeout if update.timeout is None else update.timeout,
            max_interval=self.max_interval if update.max_interval is None else update.max_interval,
            multiple_clients=self.multiple_clients or crowded,
            single_interval=single,
        )

    def alone(self) -> 'Advice':
        """The advice once a connect was answered without a word of multiple clients.

        A server sends the longer interval while two sessions share a cookie, and nothing when that
        ends; kept for ever, it would slow the stream for ever.
        """
        if not self.multiple_clients:
            return self
        return replace(self, multiple_clients=False, interval=self.single_interval)

    def after_handshake(self) -> 'Advice':
        """What outlives a successful handshake: the timing, never the action.

        After a handshake the action is "connect", whatever came before: a kept `handshake` made
        aiocometd send some 2,000 of them. A negative interval is an action too.
        """
        fresh = self.alone()
        interval = max(fresh.interval, 0.0)
        return replace(fresh, reconnect=Reconnect.RETRY, interval=interval, single_interval=interval)
