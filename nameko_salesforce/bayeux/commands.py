"""The command lane: what waits to be sent on it, and what became of what was sent. Floor 1: pure.

Carries subscribe, unsubscribe and publish while a poll is held. Decides when the lane is open and
what a reply or a failure means for each request; what it means for the session is handed up as a
verdict. Sends nothing twice unless the server has said that it did nothing.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.effects import Answered, Effect, PrepareChannel
from nameko_salesforce.bayeux.errors import ExchangeFailed, NotAnswered, PublishRefused, RemoteError
from nameko_salesforce.bayeux.exchanges import Exchange
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import Publish, Reply, Request, Subscribe, Unsubscribe
from nameko_salesforce.bayeux.policy import Action, Policy, Step, Trouble, Verdict
from nameko_salesforce.bayeux.subscriptions import Subscriptions
from nameko_salesforce.bayeux.transitions import ChannelState

__all__ = ['ENDS_SESSION', 'CommandLane']

ENDS_SESSION = (Action.HANDSHAKE, Action.LOGIN, Action.HALT)

# So many requests an exchange takes at most: some 20 KB of subscribes, about one HTTP request. What waits
# behind one that fails is then not lost with it, and a subscribe does not wait for 10,000 messages.
PER_EXCHANGE = 100


@dataclass(frozen=True, slots=True)
class _Message:
    """A message to publish."""

    ticket: int
    channel: str
    data: Any


class CommandLane:
    """What is asked of the server besides the polls.

    Args:
        channels: the book of subscriptions, shared with the session.
        policy: what refusals and failures mean.
        backoff: pauses after exchanges that failed.
        draw: gives a random number in [0, 1).
        emit: takes each effect.
    """

    def __init__(
        self,
        channels: Subscriptions,
        policy: Policy,
        backoff: Backoff,
        draw: Callable[[], float],
        emit: Callable[[Effect], None],
    ) -> None:
        self._channels = channels
        self._policy = policy
        self._backoff = backoff
        self._draw = draw
        self._emit = emit
        self._outbox: deque[_Message] = deque()
        self._tickets: dict[str, int] = {}  # of published messages under way, by message id
        self._failures = 0
        self._open_at = 0.0

    # --- what waits ------------------------------------------------------------------------------

    def publish(self, channel: str, data: Any, ticket: int) -> None:
        self._outbox.append(_Message(ticket, channel, data))

    def withdraw(self, ticket: int) -> None:
        """Forget a message that was not sent yet, and say so; the answer to one that was sent still comes."""
        kept = deque(each for each in self._outbox if each.ticket != ticket)
        if len(kept) < len(self._outbox):
            self._emit(Answered(ticket, NotAnswered('withdrawn before it was sent')))
        self._outbox = kept

    @property
    def waits(self) -> bool:
        """Whether anything does, for the lane or for its time."""
        return bool(self._outbox) or self._channels.waits

    def next_due(self) -> float | None:
        """When something can be done on a free lane; None while nothing waits."""
        if self._outbox or self._channels.waits_to_send():
            return self._open_at
        due = self._channels.next_due()
        return None if due is None else max(due, self._open_at)

    def prepare_channels(self, now: float) -> None:
        """Ask for what the channels need that are due."""
        if now >= self._open_at:
            for channel, attempt, refusal in self._channels.due(now):
                self._emit(PrepareChannel(channel, attempt, refusal))

    def requests(self, client_id: str, next_id: Callable[[], str], now: float) -> list[Request]:
        """The next of what waits, now under way; empty while the lane is shut."""
        if now < self._open_at:
            return []
        requests: list[Request] = []
        for state, channel, ext in self._channels.to_send()[:PER_EXCHANGE]:
            if state is ChannelState.READY:
                requests.append(Subscribe(next_id(), client_id, channel, ext))
            else:
                requests.append(Unsubscribe(next_id(), client_id, channel))
            self._channels.sent(channel)
        while self._outbox and len(requests) < PER_EXCHANGE:
            message = self._outbox.popleft()
            request = Publish(next_id(), client_id, message.channel, message.data)
            requests.append(request)
            self._tickets[request.id] = message.ticket
        return requests

    # --- what became of it -----------------------------------------------------------------------

    def settle(self, request: Request) -> None:
        """A yes. It needs no judgement, so nobody waits for the end of the response to hear it."""
        if isinstance(request, Subscribe | Unsubscribe):
            self._channels.accepted(request.subscription)
        elif isinstance(request, Publish):
            self._answer(request, None)

    def judge(
        self,
        exchange: Exchange,
        failure: Failure | None,
        trouble: Callable[[Step, Reply | None, Failure | None], Trouble],
        now: float,
    ) -> Verdict | None:
        """Settle each request of an exchange that has ended.

        Returns:
            A verdict that ends the session, where one was given; else None.
        """
        ending: Verdict | None = None
        undone: list[Request] = []
        for request, reply in exchange.replies:
            if reply.successful:
                continue
            verdict = self._policy.judge(trouble(Step.COMMAND, reply, None))
            if verdict.action in ENDS_SESSION:
                ending = verdict
                undone.append(request)
            else:
                self._refuse(request, verdict, now)
        missing = list(exchange.unanswered.values())
        due = [request for request in missing if not isinstance(request, Publish)]
        if failure is None and due:
            failure = Failure(FailureKind.NO_REPLY, due[0].channel)
        if failure is None:
            self._failures = 0
        else:
            self._failures += 1
            verdict = self._policy.judge(trouble(Step.COMMAND, None, failure))
            pause = max(verdict.pause, self._backoff.delay(self._failures, self._draw()))
            self._open_at = now + pause
            if verdict.action in ENDS_SESSION:
                ending = verdict
        for request in missing:
            self._unanswered(request, failure, ending)
        if ending is not None:
            self._take_back(undone, ending.reason)
        return ending

    def abandoned(self, exchange: Exchange, why: str) -> None:
        """An exchange was dropped half-way; the session deals with the channels."""
        for request in exchange.unsettled():
            if isinstance(request, Publish):
                self._answer(request, ExchangeFailed(request.channel, why))

    def ended(self, error: RemoteError) -> None:
        """The session has halted: answer everybody whose message waits."""
        for message in self._outbox:
            self._emit(Answered(message.ticket, error))
        self._outbox.clear()

    def _take_back(self, requests: Sequence[Request], reason: str) -> None:
        """The server did nothing, since it knew no such session: they are due again in the next one."""
        messages = []
        for request in requests:
            if isinstance(request, Subscribe | Unsubscribe):
                self._channels.lost(request.subscription, reason)
            elif isinstance(request, Publish):
                messages.append(_Message(self._tickets.pop(request.id), request.channel, request.data))
        self._outbox.extendleft(reversed(messages))

    def _refuse(self, request: Request, verdict: Verdict, now: float) -> None:
        if isinstance(request, Subscribe | Unsubscribe):
            self._channels.refused(request.subscription, verdict.reason, verdict.pause, now)
        elif isinstance(request, Publish):
            self._answer(request, PublishRefused(request.channel, verdict.reason))

    def _unanswered(self, request: Request, failure: Failure | None, ending: Verdict | None) -> None:
        if isinstance(request, Subscribe | Unsubscribe):
            self._channels.lost(request.subscription, str(failure))
        elif isinstance(request, Publish):
            # A reply to a message is optional (spec): silence is a yes, but for an exchange that
            # failed, and for a session that has turned out to be gone.
            why = ending.reason if failure is None and ending is not None else failure
            self._answer(request, None if why is None else ExchangeFailed(request.channel, str(why)))

    def _answer(self, request: Publish, error: RemoteError | None) -> None:
        self._emit(Answered(self._tickets.pop(request.id), error))
