"""What a session wants done (commands) and what it has to tell (events). Floor 1: values only.

Every method of `Session` returns a list of these, in the order in which the driver carries them out. They
are structs, like messages, and no dataclasses: a frozen one takes ten times as long to make.
"""

from collections.abc import Sequence
from enum import Enum

import msgspec

from nameko_salesforce.bayeux.errors import RemoteError
from nameko_salesforce.bayeux.messages import Delivery, Reply, Request, Skipped
from nameko_salesforce.bayeux.transitions import ChannelState, State

__all__ = [
    'Abandon',
    'Answered',
    'BrakeChanged',
    'ChannelChanged',
    'Deliver',
    'Effect',
    'ForgetCookies',
    'Ignored',
    'Lane',
    'MessageSkipped',
    'MetaReply',
    'PollAnswered',
    'PollLost',
    'Prepare',
    'PrepareChannel',
    'Send',
    'StateChanged',
]


class Lane(Enum):
    """Two lanes, each with a connection of its own: a command never waits behind a held poll."""

    POLL = 'poll'  # /meta/handshake and /meta/connect
    COMMAND = 'command'  # everything else

    # Lanes are keys that each poll looks up, and Enum's own is a Python function.
    __hash__ = object.__hash__


# --- commands -----------------------------------------------------------------------------------


class Prepare(msgspec.Struct, frozen=True):
    """Fetch what the session needs from outside; answer with `prepared` or `preparation_failed`.

    Attributes:
        attempt: to be handed back with the outcome.
        login: True where the credentials in use were refused, so that new ones are needed.
    """

    attempt: int
    login: bool


class PrepareChannel(msgspec.Struct, frozen=True):
    """Fetch what a subscription needs (its replay position) for the `ext` of its request.

    Answer with `channel_prepared` or `channel_preparation_failed`.

    Attributes:
        attempt: to be handed back with the outcome.
        refusal: why the server refused it last time; '' where it did not.
    """

    channel: str
    attempt: int
    refusal: str


class Send(msgspec.Struct, frozen=True):
    """Send requests on a lane; answer with `received` any number of times, then `finished` or `failed`.

    Attributes:
        exchange: to be handed back with each outcome.
        read_timeout: seconds until the response must have begun.
    """

    lane: Lane
    exchange: int
    requests: Sequence[Request]
    read_timeout: float


class Abandon(msgspec.Struct, frozen=True):
    """End the exchange under way on a lane at once; no outcome is expected."""

    lane: Lane


class ForgetCookies(msgspec.Struct, frozen=True):
    """Empty the cookie jar: the next session may be another user's."""


# --- events -------------------------------------------------------------------------------------


class Deliver(msgspec.Struct, frozen=True):
    """Events, in the order of their arrival on one lane.

    Attributes:
        characters: of the text that they were in; 0 where that is not known.
        poll: where there was an exchange on the other lane, whose answer may hold earlier ones: the connect
            with whose end it is told that all of them are here. None: these are in order.
    """

    lane: Lane
    deliveries: Sequence[Delivery]
    characters: int = 0
    poll: int | None = None


class PollAnswered(msgspec.Struct, frozen=True):
    """A connect is over and took nothing with it: answered, refused, or never at the server.

    Told when the same is known of every exchange beside which events have come meanwhile: perhaps together
    with the next connect's.

    Attributes:
        poll: names it, see `Deliver`.
    """

    poll: int


class PollLost(msgspec.Struct, frozen=True):
    """A connect is over, and its answer, or one beside it, may have been lost with events in it.

    Where a wanted channel is durable, `GenericPolicy` has a new session begun then; a position that has
    passed no event which names a poll brings them again.

    Attributes:
        poll: names it, see `Deliver`.
        why: the failure, or what ended it.
    """

    poll: int
    why: str


class BrakeChanged(msgspec.Struct, frozen=True):
    """The brake was put on, was on for too long, or was released.

    Attributes:
        on: it is on.
        exceeded: it is on, and a poll could wait no longer; durable channels, if there are any, are paused.
        lasted: seconds for which it was on until now.
    """

    on: bool
    exceeded: bool
    lasted: float


class StateChanged(msgspec.Struct, frozen=True):
    """The connection moved.

    Attributes:
        why: reason in words: the server's text, the failure, or the table's.
        failures: attempts failed in a row.
        wait: seconds until the next attempt, None where none is due.
        for_good: as in the policy's `Verdict`: the next attempt helps only if somebody changes something.
    """

    old: State
    new: State
    why: str
    failures: int
    wait: float | None
    for_good: bool = False


class ChannelChanged(msgspec.Struct, frozen=True):
    """A subscription settled: `ACTIVE`, `REFUSED` (the server said no), `WANTED` again, `PAUSED`, or `GONE`.

    Reported once per change: a refusal that repeats itself word for word is not reported again.

    Attributes:
        reason: the server's refusal, or why the subscription is not there; '' where it is.
        wait: seconds until a refused channel is tried again, else None.
    """

    channel: str
    state: ChannelState
    reason: str
    wait: float | None = None


class Answered(msgspec.Struct, frozen=True):
    """The result of a subscribe, unsubscribe or publish; `error` is None where it succeeded."""

    ticket: int
    error: RemoteError | None


class MetaReply(msgspec.Struct, frozen=True):
    """A reply on a meta channel, for those who listen."""

    reply: Reply


class MessageSkipped(msgspec.Struct, frozen=True):
    """A message was read past and not kept: an event may be lost, and this says so."""

    skipped: Skipped


class Ignored(msgspec.Struct, frozen=True):
    """Something arrived that belongs to nothing outstanding, and was dropped."""

    what: str


Effect = (
    Prepare
    | PrepareChannel
    | Send
    | Abandon
    | ForgetCookies
    | Deliver
    | StateChanged
    | ChannelChanged
    | Answered
    | MetaReply
    | MessageSkipped
    | PollAnswered
    | PollLost
    | BrakeChanged
    | Ignored
)
