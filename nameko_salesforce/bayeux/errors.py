"""Errors that users of the Bayeux layer can see. Floor 0: imports nothing.

    BayeuxError
    |-- LocalError                 you misused this package; nothing was sent, nothing changed
    |   `-- MessageTooLarge        a message of yours can never fit into one request
    `-- RemoteError                the other side, or the way to it, is at fault
        |-- Refused                the server answered, and said no
        |   |-- SubscriptionRefused
        |   |-- UnsubscriptionRefused
        |   `-- PublishRefused
        |-- ExchangeFailed         no usable answer: the network, HTTP or the body was at fault
        |-- Stopped                the client was stopped, or gave up, before an answer came
        `-- NotAnswered            the time that you allowed for a result is over

A remote error is raised only where somebody waits for a result; the stream itself never raises:
there a failure is a value (`failures.Failure`) and ends in another attempt or a reported halt.
"""

__all__ = [
    'BayeuxError',
    'ExchangeFailed',
    'LocalError',
    'MessageTooLarge',
    'NotAnswered',
    'PublishRefused',
    'Refused',
    'RemoteError',
    'Stopped',
    'SubscriptionRefused',
    'UnsubscriptionRefused',
]


class BayeuxError(Exception):
    """Base of all errors of this package."""


class LocalError(BayeuxError):
    """The call was wrong: a malformed channel, a client used before its start. Nothing was sent."""


class MessageTooLarge(LocalError):
    """One message alone passes the request limit (Salesforce: 32,768 bytes)."""


class RemoteError(BayeuxError):
    """The server, or the way to it, is at fault."""


class Refused(RemoteError):
    """The server answered a request with `successful: false`.

    Attributes:
        channel: the channel that the request was about.
        reason: the server's `error` text, whole.
    """

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(f'{channel}: {reason}')
        self.channel = channel
        self.reason = reason


class SubscriptionRefused(Refused):
    """A subscription was refused. The client goes on trying, with growing pauses."""


class UnsubscriptionRefused(Refused):
    """An unsubscription was refused; the server may go on sending this channel's events."""


class PublishRefused(Refused):
    """A message was refused; it was not published."""


class ExchangeFailed(RemoteError):
    """A request got no usable answer, so that nobody knows whether the server acted on it.

    Attributes:
        channel: the channel that the request was about.
        reason: what went wrong, in words.
    """

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(f'{channel}: {reason}')
        self.channel = channel
        self.reason = reason


class Stopped(RemoteError):
    """The client was stopped, or had halted for a reported reason, before an answer came."""


class NotAnswered(RemoteError):
    """`Result.get(timeout)`: the time is over. An unsent request is withdrawn."""
