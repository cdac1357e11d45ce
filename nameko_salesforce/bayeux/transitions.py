"""The state tables: what may happen when, and what is done then. Floor 1: data only.

Two machines, each one dict `(state, input) -> row`. A missing key is a mistake of the caller and
changes nothing. `session.py` turns what happened (a reply, a failure, an elapsed deadline) into
one of few inputs, by way of the policy, and then does what the row says; the diagrams in
`docs/session.md` are drawn from here.

What did not fit into a table is a named function in `session.py`, listed at its top.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = [
    'CHANNEL',
    'CONNECTION',
    'ChannelInput',
    'ChannelState',
    'Do',
    'Input',
    'Row',
    'State',
]


class _Key(Enum):
    """Of the tables, which each poll looks into: Enum's own hash is a Python function."""

    __hash__ = object.__hash__


class State(_Key):
    """The connection as a whole."""

    IDLE = 'idle'  # not started
    PREPARING = 'preparing'  # credentials are being fetched
    HANDSHAKING = 'handshaking'  # a handshake is outstanding
    CONNECTING = 'connecting'  # the session is not yet known to work: its connect answers at once
    CONNECTED = 'connected'  # polls follow one another; commands may be sent
    RECONNECTING = 'reconnecting'  # waiting to try the same session again
    PAUSING = 'pausing'  # waiting to begin a new session
    DISCONNECTING = 'disconnecting'  # saying goodbye, for a bounded time
    HALTED = 'halted'  # stopped, or given up for a reported reason


class Input(_Key):
    """What can happen to the connection."""

    START = 'start'
    PREPARED = 'prepared'
    ACCEPTED = 'handshake accepted'
    ANSWERED = 'connect answered'
    RETRY = 'verdict: retry'
    HANDSHAKE = 'verdict: handshake'
    LOGIN = 'verdict: login'
    HALT = 'verdict: halt'
    DUE = 'deadline passed'
    STOP = 'stop'
    DISCONNECTED = 'disconnect answered'


class Do(Enum):
    """What the session does on a transition."""

    PREPARE = 'ask for credentials'
    HANDSHAKE = 'send a handshake'
    CHECK = 'send a connect that answers at once'
    POLL = 'send the next connect, or rest for the advised interval'
    WAIT = 'wait before the next attempt'
    DISCONNECT = 'send a disconnect'
    END = 'drop what is outstanding, answer everybody who waits'
    NOTHING = 'nothing'


@dataclass(frozen=True, slots=True)
class Row:
    """One transition: the state after it, what is done, and why it is so."""

    next: State
    do: Do
    why: str


def _connection() -> dict[tuple[State, Input], Row]:
    s, i, d = State, Input, Do
    wait_retry = Row(s.RECONNECTING, d.WAIT, 'the session may be alive: a handshake would lose its queue')
    new_session = Row(s.PAUSING, d.WAIT, 'this session is gone; subscriptions are made anew')
    new_login = Row(s.PAUSING, d.WAIT, 'the credentials are refused: fetch new ones first')
    again = Row(s.PAUSING, d.WAIT, 'no session yet: begin again')
    halt = Row(s.HALTED, d.END, 'the policy sees no way on; reported')
    stopped = Row(s.HALTED, d.END, 'no session that could be ended')
    goodbye = Row(s.DISCONNECTING, d.DISCONNECT, 'clients are counted: do not leave the session to expire')
    return {
        # The verdicts in RECONNECTING come from a command that was still under way.
        (s.IDLE, i.START): Row(s.PREPARING, d.PREPARE, 'the session begins with its credentials'),
        (s.IDLE, i.STOP): stopped,
        (s.PREPARING, i.PREPARED): Row(s.HANDSHAKING, d.HANDSHAKE, 'alone in its request, one at a time'),
        (s.PREPARING, i.RETRY): again,
        (s.PREPARING, i.HANDSHAKE): again,
        (s.PREPARING, i.LOGIN): new_login,
        (s.PREPARING, i.HALT): halt,
        (s.PREPARING, i.STOP): stopped,
        (s.HANDSHAKING, i.ACCEPTED): Row(s.CONNECTING, d.CHECK, 'learn quickly whether the session works'),
        (s.HANDSHAKING, i.RETRY): again,
        (s.HANDSHAKING, i.HANDSHAKE): again,
        (s.HANDSHAKING, i.LOGIN): new_login,
        (s.HANDSHAKING, i.HALT): halt,
        (s.HANDSHAKING, i.STOP): stopped,
        (s.CONNECTING, i.ANSWERED): Row(s.CONNECTED, d.POLL, 'commands may go out from here'),
        (s.CONNECTING, i.RETRY): wait_retry,
        (s.CONNECTING, i.HANDSHAKE): new_session,
        (s.CONNECTING, i.LOGIN): new_login,
        (s.CONNECTING, i.HALT): halt,
        (s.CONNECTING, i.STOP): goodbye,
        (s.CONNECTED, i.ANSWERED): Row(s.CONNECTED, d.POLL, 'two in a row reset the failure count'),
        (s.CONNECTED, i.DUE): Row(s.CONNECTED, d.POLL, 'the advised interval is over'),
        (s.CONNECTED, i.RETRY): wait_retry,
        (s.CONNECTED, i.HANDSHAKE): new_session,
        (s.CONNECTED, i.LOGIN): new_login,
        (s.CONNECTED, i.HALT): halt,
        (s.CONNECTED, i.STOP): goodbye,
        (s.RECONNECTING, i.DUE): Row(s.CONNECTING, d.CHECK, 'ask for an answer at once: is it still alive?'),
        (s.RECONNECTING, i.HANDSHAKE): new_session,
        (s.RECONNECTING, i.LOGIN): new_login,
        (s.RECONNECTING, i.HALT): halt,
        (s.RECONNECTING, i.STOP): goodbye,
        (s.PAUSING, i.DUE): Row(s.PREPARING, d.PREPARE, 'credentials may have changed meanwhile'),
        (s.PAUSING, i.STOP): stopped,
        (s.DISCONNECTING, i.DISCONNECTED): Row(s.HALTED, d.END, 'answered, refused or lost: we are done'),
        (s.DISCONNECTING, i.DUE): Row(s.HALTED, d.END, 'a dead server does not keep us'),
        (s.DISCONNECTING, i.STOP): Row(s.DISCONNECTING, d.NOTHING, 'already on the way'),
        (s.HALTED, i.START): Row(s.PREPARING, d.PREPARE, 'a halted client can be started again'),
        (s.HALTED, i.STOP): Row(s.HALTED, d.NOTHING, 'already there'),
    }


CONNECTION: Mapping[tuple[State, Input], Row] = _connection()


class ChannelState(_Key):
    """One subscription. `GONE` is never held: the record is dropped."""

    WANTED = 'wanted'  # to be subscribed as soon as the session allows
    PREPARING = 'preparing'  # its replay position is being fetched
    READY = 'ready'  # its subscribe waits for the command lane
    PENDING = 'pending'  # its subscribe is sent
    ACTIVE = 'active'  # the server confirmed it
    REFUSED = 'refused'  # the server said no; tried again after a pause
    UNWANTED = 'unwanted'  # its subscribe is sent, but nobody wants it any more
    LEAVE = 'leave'  # its unsubscribe waits for the command lane
    LEAVING = 'leaving'  # its unsubscribe is sent
    REJOIN = 'rejoin'  # its unsubscribe is sent, and it is wanted again
    YIELD = 'yield'  # wanted, but braked: its unsubscribe waits for the command lane
    YIELDING = 'yielding'  # wanted, but braked: its unsubscribe is sent
    PAUSED = 'paused'  # wanted, but braked: not subscribed until the release
    GONE = 'gone'


class ChannelInput(_Key):
    """What can happen to a subscription."""

    SUBSCRIBE = 'subscribe'
    UNSUBSCRIBE = 'unsubscribe'
    UNDO = 'unsubscribe in doubt'  # a subscribe was sent and lost: the server may have it
    PREPARE = 'prepare'
    PREPARED = 'prepared'
    SENT = 'sent'
    ACCEPTED = 'accepted'
    REFUSED = 'refused'
    LOST = 'exchange lost'
    SESSION_LOST = 'session lost'
    PAUSE = 'pause'  # braked for too long
    PAUSE_IN_DOUBT = 'pause in doubt'  # and a subscribe was sent and lost
    RESUME = 'resume'  # released
    RESUME_IN_DOUBT = 'resume in doubt'  # and nobody knows whether the server still has it


def _channel() -> dict[tuple[ChannelState, ChannelInput], ChannelState]:
    s, i = ChannelState, ChannelInput
    return {
        (s.WANTED, i.SUBSCRIBE): s.WANTED,
        (s.WANTED, i.UNSUBSCRIBE): s.GONE,
        (s.WANTED, i.UNDO): s.LEAVE,
        (s.WANTED, i.PREPARE): s.PREPARING,
        (s.WANTED, i.SESSION_LOST): s.WANTED,
        (s.PREPARING, i.SUBSCRIBE): s.PREPARING,
        (s.PREPARING, i.UNSUBSCRIBE): s.GONE,
        (s.PREPARING, i.UNDO): s.LEAVE,
        (s.PREPARING, i.PREPARED): s.READY,
        (s.PREPARING, i.LOST): s.WANTED,
        (s.PREPARING, i.REFUSED): s.REFUSED,
        (s.PREPARING, i.SESSION_LOST): s.WANTED,
        (s.READY, i.SUBSCRIBE): s.READY,
        (s.READY, i.UNSUBSCRIBE): s.GONE,
        (s.READY, i.UNDO): s.LEAVE,
        (s.READY, i.SENT): s.PENDING,
        (s.READY, i.SESSION_LOST): s.WANTED,
        (s.PENDING, i.SUBSCRIBE): s.PENDING,
        (s.PENDING, i.UNSUBSCRIBE): s.UNWANTED,
        (s.PENDING, i.ACCEPTED): s.ACTIVE,
        (s.PENDING, i.REFUSED): s.REFUSED,
        (s.PENDING, i.LOST): s.WANTED,
        (s.PENDING, i.SESSION_LOST): s.WANTED,
        (s.ACTIVE, i.SUBSCRIBE): s.ACTIVE,
        (s.ACTIVE, i.UNSUBSCRIBE): s.LEAVE,
        (s.ACTIVE, i.SESSION_LOST): s.WANTED,
        (s.REFUSED, i.SUBSCRIBE): s.REFUSED,
        (s.REFUSED, i.UNSUBSCRIBE): s.GONE,
        (s.REFUSED, i.UNDO): s.LEAVE,
        (s.REFUSED, i.PREPARE): s.PREPARING,
        (s.REFUSED, i.SESSION_LOST): s.REFUSED,
        (s.UNWANTED, i.SUBSCRIBE): s.PENDING,
        (s.UNWANTED, i.UNSUBSCRIBE): s.UNWANTED,
        (s.UNWANTED, i.ACCEPTED): s.LEAVE,
        (s.UNWANTED, i.REFUSED): s.GONE,
        (s.UNWANTED, i.LOST): s.LEAVE,
        (s.UNWANTED, i.SESSION_LOST): s.GONE,
        # Not ACTIVE: a lost exchange may have led here, and then nobody knows what the server has.
        (s.LEAVE, i.SUBSCRIBE): s.WANTED,
        (s.LEAVE, i.UNSUBSCRIBE): s.LEAVE,
        (s.LEAVE, i.SENT): s.LEAVING,
        (s.LEAVE, i.SESSION_LOST): s.GONE,
        (s.LEAVING, i.SUBSCRIBE): s.REJOIN,
        (s.LEAVING, i.UNSUBSCRIBE): s.LEAVING,
        (s.LEAVING, i.ACCEPTED): s.GONE,
        (s.LEAVING, i.REFUSED): s.GONE,
        (s.LEAVING, i.LOST): s.LEAVE,
        (s.LEAVING, i.SESSION_LOST): s.GONE,
        (s.REJOIN, i.SUBSCRIBE): s.REJOIN,
        (s.REJOIN, i.UNSUBSCRIBE): s.LEAVING,
        (s.REJOIN, i.ACCEPTED): s.WANTED,
        (s.REJOIN, i.REFUSED): s.WANTED,
        (s.REJOIN, i.LOST): s.WANTED,
        (s.REJOIN, i.SESSION_LOST): s.WANTED,
        (s.YIELD, i.SUBSCRIBE): s.YIELD,
        (s.YIELD, i.UNSUBSCRIBE): s.LEAVE,
        (s.YIELD, i.SENT): s.YIELDING,
        (s.YIELD, i.SESSION_LOST): s.PAUSED,
        (s.YIELDING, i.SUBSCRIBE): s.YIELDING,
        (s.YIELDING, i.UNSUBSCRIBE): s.LEAVING,
        (s.YIELDING, i.ACCEPTED): s.PAUSED,
        (s.YIELDING, i.REFUSED): s.PAUSED,
        (s.YIELDING, i.LOST): s.YIELD,
        (s.YIELDING, i.SESSION_LOST): s.PAUSED,
        (s.PAUSED, i.SUBSCRIBE): s.PAUSED,
        (s.PAUSED, i.UNSUBSCRIBE): s.GONE,
        (s.PAUSED, i.SESSION_LOST): s.PAUSED,
        # A pause waits for the answer of a subscribe that is sent, and does not concern who leaves.
        (s.WANTED, i.PAUSE): s.PAUSED,
        (s.WANTED, i.PAUSE_IN_DOUBT): s.YIELD,
        (s.PREPARING, i.PAUSE): s.PAUSED,
        (s.PREPARING, i.PAUSE_IN_DOUBT): s.YIELD,
        (s.READY, i.PAUSE): s.PAUSED,
        (s.READY, i.PAUSE_IN_DOUBT): s.YIELD,
        (s.PENDING, i.PAUSE): s.PENDING,
        (s.ACTIVE, i.PAUSE): s.YIELD,
        (s.REFUSED, i.PAUSE): s.PAUSED,
        (s.REFUSED, i.PAUSE_IN_DOUBT): s.YIELD,
        (s.UNWANTED, i.PAUSE): s.UNWANTED,
        (s.LEAVE, i.PAUSE): s.LEAVE,
        (s.LEAVING, i.PAUSE): s.LEAVING,
        (s.REJOIN, i.PAUSE): s.YIELDING,
        (s.YIELD, i.PAUSE): s.YIELD,
        (s.YIELDING, i.PAUSE): s.YIELDING,
        (s.PAUSED, i.PAUSE): s.PAUSED,
        (s.YIELD, i.RESUME): s.ACTIVE,
        (s.YIELD, i.RESUME_IN_DOUBT): s.WANTED,
        (s.YIELDING, i.RESUME): s.REJOIN,
        (s.PAUSED, i.RESUME): s.WANTED,
    }


CHANNEL: Mapping[tuple[ChannelState, ChannelInput], ChannelState] = _channel()
