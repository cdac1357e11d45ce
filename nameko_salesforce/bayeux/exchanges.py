"""What is under way on the two lanes, and which reply belongs to it. Floor 1: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.effects import Lane, PollAnswered, PollLost
from nameko_salesforce.bayeux.messages import Connect, Delivery, Reply, Request, Subscribe

__all__ = ['Exchange', 'Exchanges']

# To look a member up takes five times as long as another attribute (Python 3.11).
_POLL, _COMMAND = Lane.POLL, Lane.COMMAND


@dataclass(slots=True)
class Exchange:
    """A request of one or more messages, and what its response has brought so far.

    Attributes:
        number: names the exchange between session and driver.
        requests: by message id, in the order of sending.
        sent_at: in seconds of the session's clock.
        is_poll: it is a connect, which goes alone.
        unanswered: those of the requests that have no reply.
        replies: in the order of arrival, each with the request that it answers.
        server_disconnected: the server's own `/meta/disconnect` was in the response.
        brought_events: events were.
        overtakers: events of the poll lane that came before the end of the answer to their own subscribe,
            which may hold earlier ones.
        overtaking: characters of their text.
    """

    number: int
    lane: Lane
    requests: Mapping[str, Request]
    sent_at: float
    is_poll: bool = field(init=False)
    unanswered: dict[str, Request] = field(init=False)
    replies: list[tuple[Request, Reply]] = field(default_factory=list)
    server_disconnected: bool = False
    brought_events: bool = False
    overtakers: list[Delivery] = field(default_factory=list)
    overtaking: int = 0

    def __post_init__(self) -> None:
        self.unanswered = dict(self.requests)
        self.is_poll = type(next(iter(self.unanswered.values()), None)) is Connect

    @property
    def reply(self) -> Reply | None:
        """The reply of an exchange that asked one thing."""
        return self.replies[0][1] if self.replies else None

    def match(self, reply: Reply) -> Request | None:
        """The unanswered request that a reply answers, None where there is none.

        By id; and a yes must come on the channel that was asked. (A no may come on another one: a server
        that has ended the session answers every request like a connect.) A reply without an id belongs to
        the only request that it can be about: Salesforce has answered
        `[{"error": "401::...", "successful": false}]` and nothing else.
        """
        if reply.id is not None:
            request = self.unanswered.get(reply.id)
            fits = request is not None and (not reply.successful or reply.channel in ('', request.channel))
            return request if fits else None
        candidates = [
            request
            for request in self.unanswered.values()
            if reply.channel in ('', request.channel)
            and reply.subscription in ('', getattr(request, 'subscription', ''))
        ]
        return candidates[0] if len(candidates) == 1 else None

    def take(self, request: Request, reply: Reply) -> None:
        """Keep a reply that was matched."""
        self.replies.append((request, reply))
        self.unanswered.pop(request.id, None)

    def unsettled(self) -> Sequence[Request]:
        """Requests without a reply that says yes."""
        settled = {request.id for request, reply in self.replies if reply.successful}
        return [request for request in self.requests.values() if request.id not in settled]

    def subscribing(self) -> set[str]:
        """The channels that it asks for, without filters, as events may name them."""
        return {
            without_filter(request.subscription)
            for request in self.requests.values()
            if isinstance(request, Subscribe)
        }


class Exchanges:
    """At most one on each lane; and which of them may bring events from before those that have come already.

    A server gives all that waits to whichever answer it sends next, and of two answers the later one may be
    here first. So what comes while there is an exchange on the other lane is in doubt until that has ended,
    and with it all that comes meanwhile. The ends of polls are told when nothing is in doubt.

    Attributes:
        last: number of the last one.
    """

    def __init__(self, last: int = 0) -> None:
        self.last = last
        self._current: dict[Lane, Exchange] = {}
        self._awaited: set[int] = set()  # beside which events have come
        self._untold: list[int] = []  # polls that are over

    def begin(self, lane: Lane, requests: Sequence[Request], now: float) -> Exchange:
        """Have one under way on a lane, which is free."""
        self.last += 1
        by_id = {request.id: request for request in requests}
        exchange = self._current[lane] = Exchange(self.last, lane, by_id, now)
        return exchange

    def end(self, lane: Lane) -> Exchange | None:
        """Free a lane; what was under way there. Of a connect `settled` or `lost` tells then."""
        exchange = self._current.pop(lane, None)
        if exchange is not None and exchange.is_poll:
            self._untold.append(exchange.number)
        return exchange

    def find(self, number: int) -> Exchange | None:
        """The one of that number; None where it was overtaken."""
        for current in self._current.values():
            if current.number == number:
                return current
        return None

    def is_free(self, lane: Lane) -> bool:
        return lane not in self._current

    def subscribe_beside(self, lane: Lane) -> Exchange | None:
        """The command under way whose answer may hold events from before those that come on this lane now."""
        command = self._current.get(_COMMAND) if lane is _POLL else None
        return command if command is not None and command.subscribing() else None

    @property
    def held_back(self) -> tuple[int, int]:
        """Overtakers of the command under way, and the characters of their text."""
        command = self._current.get(_COMMAND)
        return (0, 0) if command is None else (len(command.overtakers), command.overtaking)

    # --- the order of both lanes -----------------------------------------------------------------

    def beside(self, lane: Lane) -> Exchange | None:
        """The exchange whose answer may hold earlier events than what comes on this lane."""
        other = self._current.get(_COMMAND if lane is _POLL else _POLL)
        return other if other is not None and (lane is _POLL or other.is_poll) else None

    def brought(self, lane: Lane) -> None:
        """Events have come on a lane whose order counts."""
        other = self.beside(lane)
        if other is not None:
            self._awaited.add(other.number)

    @property
    def in_doubt(self) -> int | None:
        """The connect whose end is told when what comes now is in order for certain; None: it is."""
        if not self._awaited:
            return None
        poll = self._current.get(_POLL)
        return self._untold[-1] if poll is None else poll.number

    def settled(self, number: int) -> Sequence[PollAnswered]:
        """An exchange has ended and took nothing with it: what is told now."""
        self._awaited.discard(number)
        if self._awaited:
            return ()
        told, self._untold = self._untold, []
        return [PollAnswered(each) for each in told]

    def lost(self, why: str) -> Sequence[PollLost]:
        """Events may be lost, and with them the order of all that is in doubt: what is told now."""
        self._awaited.clear()
        told, self._untold = self._untold, []
        return [PollLost(each, why) for each in told]
