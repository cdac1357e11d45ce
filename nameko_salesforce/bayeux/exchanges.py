"""One request under way, and which reply belongs to it. Floor 1: pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nameko_salesforce.bayeux.effects import Lane
from nameko_salesforce.bayeux.messages import Reply, Request

__all__ = ['Exchange']


@dataclass(slots=True)
class Exchange:
    """A request of one or more messages, and what its response has brought so far.

    Attributes:
        number: names the exchange between session and driver.
        requests: by message id, in the order of sending.
        replies: in the order of arrival, each with the request that it answers.
        server_disconnected: the server's own `/meta/disconnect` was in the response.
    """

    number: int
    lane: Lane
    requests: dict[str, Request]
    replies: list[tuple[Request, Reply]] = field(default_factory=list)
    server_disconnected: bool = False

    @property
    def reply(self) -> Reply | None:
        """The reply of an exchange that asked one thing."""
        return self.replies[0][1] if self.replies else None

    def match(self, reply: Reply) -> Request | None:
        """The unanswered request that a reply answers, None where there is none.

        By id. A reply without one belongs to the only request that it can be about: Salesforce has
        answered `[{"error": "401::...", "successful": false}]` and nothing else.
        """
        open_requests = self.unanswered()
        if reply.id is not None:
            candidates = [request for request in open_requests if request.id == reply.id]
        else:
            candidates = [
                request
                for request in open_requests
                if reply.channel in ('', request.channel)
                and reply.subscription in ('', getattr(request, 'subscription', ''))
            ]
        return candidates[0] if len(candidates) == 1 else None

    def take(self, request: Request, reply: Reply) -> None:
        """Keep a reply that was matched."""
        self.replies.append((request, reply))

    def unanswered(self) -> Sequence[Request]:
        """Requests without a reply, in the order of sending."""
        answered = {request.id for request, _ in self.replies}
        return [request for request in self.requests.values() if request.id not in answered]

    def unsettled(self) -> Sequence[Request]:
        """Requests without a reply that says yes."""
        settled = {request.id for request, reply in self.replies if reply.successful}
        return [request for request in self.requests.values() if request.id not in settled]
