"""What the broker remembers of each client: queue, subscriptions, held connect, acknowledgements. Pure.

Nothing here decides what a message means (see `broker`); this module keeps the books straight:
a session is found through its cookie, an event reaches each subscribed session once.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import channels
from .answers import TimedCookie

__all__ = ['AckBook', 'Exchange', 'HeldConnect', 'Registry', 'Session', 'SessionView']


class AckBook:
    """Events kept until their client acknowledges them.

    Every event carries the number of the batch that was open when it was queued; every connect reply
    closes a batch. Source: CometD manual, "Acknowledge extension"; facts in the reference server's code.
    """

    def __init__(self) -> None:
        self.batch = 1
        self._kept: deque[tuple[int, dict[str, Any]]] = deque()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, event: dict[str, Any]) -> None:
        """Remember an event in the open batch."""
        self._kept.append((self.batch, event))

    def acknowledge(self, batch: float) -> None:
        """Forget the events up to a batch."""
        while self._kept and self._kept[0][0] <= batch:
            self._kept.popleft()

    def close_batch(self) -> int:
        """End the open batch; returns its number."""
        self.batch += 1
        return self.batch - 1

    def up_to(self, batch: int) -> list[dict[str, Any]]:
        """What is not acknowledged, up to a batch, oldest first."""
        return [event for number, event in self._kept if number <= batch]


@dataclass(slots=True)
class Exchange:
    """One HTTP request on its way through the broker.

    Attributes:
        id: the number by which the front knows it.
        messages: its messages, checked to be objects.
        browser: value of the session cookie that came with it.
        session: found through the first message, as the reference server does.
        replies: in request order.
        ack_batch: the batch that a connect reply of this exchange closed.
        send_queue: whether queued events ride on the answer.
        schedules_expiry: whether the session's remaining life is counted from the answer on.
        set_cookie: cookie value to give away.
        cookies, authorization, path, size: of the request, for kinds of servers that look at them.
        timed_cookie: a further cookie to give away.
    """

    id: int
    messages: list[dict[str, Any]]
    browser: str | None
    session: 'Session | None' = None
    replies: list[dict[str, Any]] = field(default_factory=list)
    ack_batch: int | None = None
    send_queue: bool = False
    schedules_expiry: bool = False
    set_cookie: str | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    authorization: str | None = None
    path: str = ''
    size: int = 0
    timed_cookie: TimedCookie | None = None

    def speaks_for(self, message: Mapping[str, Any]) -> bool:
        """Whether one of its messages belongs to the session that it found, and that session lives."""
        session = self.session
        return session is not None and not session.ended and session.client_id == message.get('clientId')


@dataclass(slots=True)
class HeldConnect:
    """A connect that waits for events: its reply as far as it is known, and when it must leave."""

    exchange: Exchange
    reply: dict[str, Any]
    until: float


@dataclass(slots=True)
class Session:
    """One Bayeux session.

    Attributes:
        browser: the cookie value behind which it lives.
        route: value of the routing cookie that leads to it, where there is one.
        user: id of the user whose session it is, where servers ask who comes.
        parting: the error of its last connect reply, where the server is done with the session.
    """

    client_id: str
    browser: str
    connected: bool = False
    ended: bool = False
    advised: bool = True
    own_timeout: float | None = None
    own_interval: float | None = None
    subscriptions: dict[str, None] = field(default_factory=dict)
    queue: list[dict[str, Any]] = field(default_factory=list)
    urgent: bool = False
    acks: AckBook | None = None
    held: HeldConnect | None = None
    expires_at: float | None = None
    lazy_at: float | None = None
    next_poll_at: float | None = None
    armed: float | None = None
    route: str | None = None
    user: str | None = None
    parting: str | None = None

    @property
    def due(self) -> float | None:
        """When the broker has to look at this session again."""
        until = self.held.until if self.held is not None else None
        times = (self.expires_at, self.lazy_at, until)
        return min((time for time in times if time is not None), default=None)

    def enqueue(self, event: dict[str, Any], lazy: bool) -> None:
        """Queue an event; one that is not lazy makes the queue urgent."""
        self.queue.append(event)
        self.urgent = self.urgent or not lazy
        if self.acks is not None:
            self.acks.keep(event)

    def take_queue(self, batch: int | None) -> list[dict[str, Any]]:
        """Empty the queue: what leaves with an answer that closed this batch (None: that closed none)."""
        events, self.queue, self.urgent = self.queue, [], False
        self.lazy_at = None
        if self.acks is not None and batch is not None:
            return self.acks.up_to(batch)
        return events


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as tests may see it.

    Attributes:
        held: whether a connect is being held.
        queued: events that wait for an answer.
        unacknowledged: events kept by the acknowledgement extension, queued ones included.
        expires_at: seconds on the broker's clock; None while the session cannot expire.
    """

    client_id: str
    browser: str
    connected: bool
    held: bool
    subscriptions: tuple[str, ...]
    queued: int
    unacknowledged: int
    expires_at: float | None


class Registry:
    """All living sessions, by id and by subscribed channel, and the channels that exist."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._subscribers: dict[str, dict[str, Session]] = {}
        self._channels: set[str] = set()
        self._held: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def add(self, session: Session) -> None:
        """Let a session live."""
        self._sessions[session.client_id] = session

    def get(self, client_id: object) -> Session | None:
        """The living session with this id, whatever its cookie."""
        return self._sessions.get(client_id) if isinstance(client_id, str) else None

    def remove(self, session: Session) -> None:
        """End a session: no more events reach it. Its queue stays in it for a last answer."""
        session.ended = True
        del self._sessions[session.client_id]
        for channel in list(session.subscriptions):
            self.unsubscribe(session, channel)

    def exists(self, channel: str) -> bool:
        """Whether anybody ever subscribed or published to a channel; the fake never forgets one."""
        return channel in self._channels

    def create(self, channel: str) -> None:
        """Let a channel exist."""
        self._channels.add(channel)

    def subscribe(self, session: Session, channel: str) -> None:
        """Subscribe; twice is once."""
        session.subscriptions[channel] = None
        self._subscribers.setdefault(channel, {})[session.client_id] = session

    def unsubscribe(self, session: Session, channel: str) -> None:
        """Unsubscribe; not being subscribed is no error."""
        session.subscriptions.pop(channel, None)
        others = self._subscribers.get(channel, {})
        others.pop(session.client_id, None)
        if not others:
            self._subscribers.pop(channel, None)

    def subscribers(self, name: str) -> list[Session]:
        """Who subscribed to exactly this name, in that order."""
        return list(self._subscribers.get(name, {}).values())

    def reached(self, channel: str) -> list[Session]:
        """Whom an event reaches, each session once, in the order of subscription per pattern."""
        found: dict[str, Session] = {}
        for name in channels.subscriptions_reached(channel):
            found.update(self._subscribers.get(name, {}))
        return list(found.values())

    def hold(self, session: Session, held: HeldConnect) -> None:
        """Note that a connect of this session is held."""
        session.held = held
        self._held[session.browser] += 1

    def let_go(self, session: Session) -> HeldConnect | None:
        """Note that the connect of this session, if one is held, is held no more."""
        held, session.held = session.held, None
        if held is not None:
            self._held[session.browser] -= 1
            if not self._held[session.browser]:
                del self._held[session.browser]
        return held

    def held_behind(self, browser: str) -> int:
        """How many connects are held behind one cookie."""
        return self._held[browser]

    def views(self) -> tuple[SessionView, ...]:
        """All living sessions, oldest first."""
        return tuple(
            SessionView(
                client_id=one.client_id,
                browser=one.browser,
                connected=one.connected,
                held=one.held is not None,
                subscriptions=tuple(one.subscriptions),
                queued=len(one.queue),
                unacknowledged=len(one.acks) if one.acks is not None else 0,
                expires_at=one.expires_at,
            )
            for one in self._sessions.values()
        )
