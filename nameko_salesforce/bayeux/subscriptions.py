"""The subscriptions of a session: which channels are wanted, and how far each one is. Floor 1: pure.

Decides a channel's state by the table in `transitions.py`, who is told, and when a refused channel
is tried again. Never builds a message and never decides about the session.

Invariant: a wanted channel is in the book until it is unsubscribed, whatever happens to it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Answered, ChannelChanged, Effect
from nameko_salesforce.bayeux.errors import (
    LocalError,
    RemoteError,
    Stopped,
    SubscriptionRefused,
    UnsubscriptionRefused,
)
from nameko_salesforce.bayeux.transitions import CHANNEL, ChannelInput, ChannelState

__all__ = ['ChannelStatus', 'Subscriptions']


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """What a user may know of a channel.

    Attributes:
        state: see `ChannelState`; a refused channel stays `REFUSED` while it is being tried again.
        reason: the server's last refusal, or why the subscription is not there; '' when active.
        failures: refusals in a row.
    """

    state: ChannelState
    reason: str = ''
    failures: int = 0


@dataclass(slots=True)
class _Channel:
    name: str
    number: int  # in declared order
    state: ChannelState = ChannelState.WANTED
    attempt: int = 0
    ext: Mapping[str, Any] | None = None
    reason: str = ''
    refusal: str = ''
    failures: int = 0
    retry_at: float = 0.0
    wait: float = 0.0  # after the last refusal, seconds
    in_doubt: bool = False  # the server may have it, whatever the state says
    subscribers: list[int] = field(default_factory=list)  # tickets
    leavers: list[int] = field(default_factory=list)  # tickets
    reported: tuple[ChannelState, str] = (ChannelState.WANTED, '')

    def one_of(self, certain: ChannelInput, in_doubt: ChannelInput) -> ChannelInput:
        """The second one where the server may have what the state denies, and that makes a difference."""
        return in_doubt if self.in_doubt and (self.state, in_doubt) in CHANNEL else certain


TO_PREPARE = (ChannelState.WANTED, ChannelState.REFUSED)
TO_SEND = (ChannelState.READY, ChannelState.LEAVE, ChannelState.YIELD)
SETTLED = (
    ChannelState.WANTED,
    ChannelState.ACTIVE,
    ChannelState.REFUSED,
    ChannelState.PAUSED,
    ChannelState.GONE,
)
SETTLING = (ChannelState.PREPARING, ChannelState.READY, ChannelState.PENDING)
BRAKED = (ChannelState.YIELD, ChannelState.YIELDING, ChannelState.PAUSED)
REFUSABLE = (
    ChannelState.WANTED,
    ChannelState.PREPARING,
    ChannelState.READY,
    ChannelState.PENDING,
    *BRAKED,
)
UNWANTED = (ChannelState.UNWANTED, ChannelState.LEAVE, ChannelState.LEAVING)

TOO_SLOW = 'more events come than are handled'


class Subscriptions:
    """The book of wanted channels, in the order in which they were declared.

    Args:
        backoff: pauses between attempts at a refused channel.
        draw: gives a random number in [0, 1).
        emit: takes each effect.
    """

    def __init__(self, backoff: Backoff, draw: Callable[[], float], emit: Callable[[Effect], None]) -> None:
        self._backoff = backoff
        self._draw = draw
        self._emit = emit
        self._book: dict[str, _Channel] = {}
        self._numbers = 0
        # Which of them are in a state to wait for something: looked at in every step, the book is not.
        self._to_prepare: dict[str, _Channel] = {}
        self._to_send: dict[str, _Channel] = {}
        self._settling: dict[str, _Channel] = {}
        self._is_paused: Callable[[str], bool] | None = None  # which of them; None while none is

    # --- what users ask --------------------------------------------------------------------------

    def subscribe(self, channel: str, ticket: int, now: float) -> None:
        """Want a channel. The ticket is answered by the next confirmation or refusal."""
        record = self._book.get(channel)
        if record is None:
            self._numbers += 1
            record = self._book[channel] = _Channel(channel, self._numbers)
        record.subscribers.append(ticket)
        record.retry_at = min(record.retry_at, now)  # somebody asks: do not sit out an old pause
        record.in_doubt = record.in_doubt or record.state is ChannelState.LEAVE
        self._apply(record, ChannelInput.SUBSCRIBE)
        if record.state is not ChannelState.REJOIN:
            self._answer(record.leavers, _overtaken(channel))
        if record.state is ChannelState.ACTIVE:
            self._answer(record.subscribers, None)

    def unsubscribe(self, channel: str, ticket: int) -> None:
        """Want a channel no longer. An unknown one counts as done."""
        record = self._book.get(channel)
        if record is None:
            self._emit(Answered(ticket, None))
            return
        record.leavers.append(ticket)
        self._answer(record.subscribers, Stopped(f'{channel}: unsubscribed before the server answered'))
        self._apply(record, record.one_of(ChannelInput.UNSUBSCRIBE, ChannelInput.UNDO))

    # --- what a brake asks -----------------------------------------------------------------------

    def pause(self, chosen: Callable[[str], bool]) -> None:
        """Have the chosen channels not subscribed until `resume`, those that are wanted later included."""
        self._is_paused = chosen
        for record in list(self._book.values()):
            if chosen(record.name):
                self._apply(record, record.one_of(ChannelInput.PAUSE, ChannelInput.PAUSE_IN_DOUBT))

    def resume(self, reason: str) -> None:
        """Want all paused channels as before."""
        self._is_paused = None
        for record in list(self._book.values()):
            if record.state in BRAKED:
                self._resume(record, reason)

    def _resume(self, record: _Channel, reason: str) -> None:
        self._apply(record, record.one_of(ChannelInput.RESUME, ChannelInput.RESUME_IN_DOUBT), reason)
        if record.state is ChannelState.ACTIVE:  # its unsubscribe was not sent
            self._answer(record.subscribers, None)
        if record.state is not ChannelState.REJOIN:
            self._answer(record.leavers, _overtaken(record.name))

    # --- what can be seen ------------------------------------------------------------------------

    def wants(self, chosen: Callable[[str], bool]) -> bool:
        """Whether any wanted channel is one of the chosen."""
        return any(chosen(each.name) for each in self._book.values() if each.state not in UNWANTED)

    def settling(self, chosen: Callable[[str], bool], until: float) -> bool:
        """Whether one of the chosen channels is being subscribed to, or will be before `until`.

        Not one that goes on being refused: the others would wait for it each time.
        """
        if not (self._settling or self._to_prepare):
            return False
        soon = [each for each in self._to_prepare.values() if each.retry_at < until]
        return any(each.failures < 2 and chosen(each.name) for each in [*self._settling.values(), *soon])

    def status(self) -> dict[str, ChannelStatus]:
        """All channels, in declared order."""
        return {name: self._status(record) for name, record in self._book.items()}

    # --- what the session does -------------------------------------------------------------------

    def due(self, now: float) -> Iterator[tuple[str, int, str]]:
        """Channels to prepare now: (channel, attempt, the server's refusal). Moves each to `PREPARING`."""
        for record in _declared(self._to_prepare):
            if record.retry_at <= now:
                record.attempt += 1
                self._apply(record, ChannelInput.PREPARE)
                yield record.name, record.attempt, record.refusal

    def next_due(self) -> float | None:
        """When the next channel is to be prepared; None where none waits."""
        return min((each.retry_at for each in self._to_prepare.values()), default=None)

    def prepared(self, channel: str, attempt: int, ext: Mapping[str, Any] | None) -> None:
        """A preparation ended well; one that was overtaken is ignored."""
        record = self._preparing(channel, attempt)
        if record is not None:
            record.ext = ext
            self._apply(record, ChannelInput.PREPARED)

    def preparation_failed(self, channel: str, attempt: int, reason: str, now: float) -> None:
        """A preparation failed: the channel counts as refused and is tried again."""
        record = self._preparing(channel, attempt)
        if record is not None:
            self._refuse(record, reason, 0.0, now)

    def to_send(self) -> list[tuple[ChannelState, str, Mapping[str, Any] | None]]:
        """What waits for the command lane: (`READY`, `LEAVE` or `YIELD`, channel, ext), in declared order."""
        return [(each.state, each.name, each.ext) for each in _declared(self._to_send)]

    def waits_to_send(self) -> bool:
        """Whether anything does."""
        return bool(self._to_send)

    @property
    def waits(self) -> bool:
        """Whether any channel waits to be prepared or sent."""
        return bool(self._to_send or self._to_prepare)

    def sent(self, channel: str) -> None:
        """The channel's request is on its way."""
        self._apply(self._book[channel], ChannelInput.SENT)

    def accepted(self, channel: str) -> None:
        """The server said yes to the channel's request."""
        record = self._book[channel]
        record.in_doubt = False
        joined = record.state is ChannelState.PENDING
        if joined:
            record.refusal, record.failures, record.retry_at = '', 0, 0.0
        self._apply(record, ChannelInput.ACCEPTED)
        if joined:
            self._answer(record.subscribers, None)
        elif record.state is not ChannelState.LEAVE:
            self._answer(record.leavers, None)

    def refused(self, channel: str, reason: str, pause: float, now: float) -> None:
        """The server said no to the channel's request; `pause` is the least wait in seconds."""
        record = self._book[channel]
        if record.state is ChannelState.PENDING:
            record.refusal = reason
            self._refuse(record, reason, pause, now)  # what was in doubt stays so: another one was refused
        elif record.state is ChannelState.UNWANTED:
            self._apply(record, ChannelInput.LOST if record.in_doubt else ChannelInput.REFUSED)
        else:
            # In doubt, the server may never have had it: then that is what was asked for.
            self._answer(record.leavers, None if record.in_doubt else UnsubscriptionRefused(channel, reason))
            record.in_doubt = False
            paused = record.state is ChannelState.YIELDING
            self._apply(record, ChannelInput.REFUSED, f'it comes all the same: {reason}' if paused else '')

    def lost(self, channel: str, reason: str) -> None:
        """The channel's request got no answer. It is due again at once; the lane's own pause comes first."""
        record = self._book[channel]
        record.in_doubt = True
        if record.state in (ChannelState.REJOIN, ChannelState.YIELDING):
            self._answer(record.leavers, _overtaken(channel))
        self._apply(record, ChannelInput.LOST, reason)

    def session_lost(self, reason: str) -> None:
        """The session is gone, and every subscription with it. Refused channels sit out their pause."""
        for record in list(self._book.values()):
            record.in_doubt = False
            self._answer(record.leavers, None)
            self._apply(record, ChannelInput.SESSION_LOST, reason)

    def ended(self, error: RemoteError) -> None:
        """The session has halted: answer everybody who waits. The book stays, for a new start."""
        for record in list(self._book.values()):
            self._answer(record.subscribers, error)
            self._answer(record.leavers, error)

    # --- inside ----------------------------------------------------------------------------------

    def _refuse(self, record: _Channel, reason: str, pause: float, now: float) -> None:
        record.failures += 1
        record.wait = max(pause, self._backoff.delay(record.failures, self._draw()))
        record.retry_at = now + record.wait
        self._answer(record.subscribers, SubscriptionRefused(record.name, reason))
        self._apply(record, ChannelInput.REFUSED, reason)

    def _apply(self, record: _Channel, event: ChannelInput, reason: str = '') -> None:
        """The only writer of a channel's state. Raises `LocalError` for an impossible pair, unchanged."""
        if (record.state, event) not in CHANNEL:
            raise LocalError(
                f'{record.name}: {event.value!r} cannot happen to a channel that is {record.state.value}'
            )
        record.state = CHANNEL[record.state, event]
        if self._is_paused is not None and self._is_paused(record.name):
            also = record.one_of(ChannelInput.PAUSE, ChannelInput.PAUSE_IN_DOUBT)
            record.state = CHANNEL.get((record.state, also), record.state)  # GONE has no row
        for waiting, states in (
            (self._to_prepare, TO_PREPARE),
            (self._to_send, TO_SEND),
            (self._settling, SETTLING),
        ):
            if record.state in states:
                waiting[record.name] = record
            else:
                waiting.pop(record.name, None)
        told = reason and (record.state not in BRAKED or event is ChannelInput.REFUSED)
        if record.state is ChannelState.ACTIVE:
            record.reason = ''
        elif told and (event is ChannelInput.REFUSED or not record.failures):
            record.reason = reason  # a refusal stays the reason to show until the channel is active
        elif record.state in BRAKED and not record.failures:
            record.reason = TOO_SLOW
        if record.state is ChannelState.GONE:
            del self._book[record.name]
            self._answer(record.leavers, None)
        self._report(record)

    def _report(self, record: _Channel) -> None:
        status = self._status(record)
        if status.state in SETTLED and (status.state, status.reason) != record.reported:
            record.reported = (status.state, status.reason)
            wait = record.wait if status.state is ChannelState.REFUSED else None
            self._emit(ChannelChanged(record.name, status.state, status.reason, wait))

    def _status(self, record: _Channel) -> ChannelStatus:
        refused = record.failures and record.state in REFUSABLE
        state = ChannelState.REFUSED if refused else record.state
        return ChannelStatus(state, record.reason, record.failures)

    def _preparing(self, channel: str, attempt: int) -> _Channel | None:
        record = self._book.get(channel)
        overtaken = record is None or record.attempt != attempt or record.state is not ChannelState.PREPARING
        return None if overtaken else record

    def _answer(self, tickets: list[int], error: RemoteError | None) -> None:
        for ticket in tickets:
            self._emit(Answered(ticket, error))
        tickets.clear()


def _declared(waiting: Mapping[str, _Channel]) -> list[_Channel]:
    return sorted(waiting.values(), key=lambda record: record.number)


def _overtaken(channel: str) -> Stopped:
    return Stopped(f'{channel}: subscribed again before the server answered')
