"""The Bayeux server as a pure object: requests and `now` in, answers or "held" out.

    broker = Broker(VANILLA, random.Random(1))
    answer = broker.receive(exchange_id, body, cookies, now)   # None: held
    broker.publish('/topic', {'n': 1}, now)
    broker.deadline                                            # when to call elapsed(now), or None
    broker.elapsed(now)
    for exchange_id, answer in broker.take_answers(): ...      # polls that were released meanwhile
    broker.gone(exchange_id, now)                              # a held poll's connection broke

It knows no socket, no clock and no chance of its own: `now` is float seconds that never go back, chance
is a `random.Random`. It never raises on what clients send. Call `take_answers` after each call.
Source: Bayeux 1.0 and the reference server (CometD Java 6). Known differences: expiry is exact instead of
a sweep every 997 ms; channels are never forgotten; a request that holds a handshake and other messages
is refused before any of them acts.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

from . import channels, commands, connects
from .answers import Answer, seconds
from .inspection import Inspector
from .journal import Journal, Kind
from .manner import Manner
from .rules import Rules
from .salesforce import Salesforce
from .sessions import Exchange, HeldConnect, Registry, Session, SessionView
from .settings import VANILLA, BrokerSettings, SalesforceSettings
from .timers import Timers
from .vanilla import Vanilla

__all__ = ['Broker']

_SHORT = ('channel', 'id', 'clientId')
_BASE_36 = 'abcdefghijklmnopqrstuvwxyz0123456789'


class Broker:
    """A Bayeux server without I/O. Invariant: each held exchange is answered once, or gone, or restarted.

    Args:
        settings: what the server is like.
        random: for client ids and cookies; without one they are the same in every run.
        journal: where to write what happens; without one, a new one.
        rules: whom Salesforce lets in, and to what; without them, everybody to everything.

    Attributes:
        settings: may be replaced at any time by others of the same kind: the kind says which server it is.
        journal: what happened.
        manner, registry, inspector: for the broker's own parts only.
    """

    def __init__(
        self,
        settings: BrokerSettings = VANILLA,
        random: Random | None = None,
        journal: Journal | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.settings = settings
        self.journal = journal if journal is not None else Journal()
        self.inspector = Inspector(self.journal)
        self.registry = Registry()
        self._random = random if random is not None else Random(0)
        self.manner: Manner
        if isinstance(settings, SalesforceSettings):
            self.manner = Salesforce(self, self._random, rules)
        else:
            self.manner = Vanilla(self)
        self._answers: list[tuple[int, Answer]] = []
        self._holders: dict[int, Session] = {}
        self._timers = Timers()
        self._batching: Session | None = None

    # --- what drivers call ------------------------------------------------------------------

    def receive(
        self,
        exchange_id: int,
        body: Any,
        cookies: Mapping[str, str],
        now: float,
        *,
        size: int = 0,
        authorization: str | None = None,
        path: str = '',
    ) -> Answer | None:
        """Take a request.

        Args:
            exchange_id: a number that the caller never uses twice.
            body: decoded JSON of any kind.
            cookies: name -> value, as sent.
            now: seconds.
            size: bytes of the body; 0 if unknown.
            authorization: value of the header `Authorization`, if there is one.
            path: what follows `/cometd/` in the URL.
        Returns:
            The answer, or None when the request is held: its answer comes through `take_answers`.
        """
        self.elapsed(now)
        messages = body if isinstance(body, list) else [body]
        if not all(isinstance(message, dict) for message in messages):
            return self._refuse_request(exchange_id, 400, now)
        browser = cookies.get(self.settings.cookie_name)
        exchange = Exchange(exchange_id, messages, browser, cookies=cookies, size=size)
        exchange.authorization, exchange.path = authorization, path
        owner = self.registry.get(messages[0].get('clientId')) if messages else None
        if messages and messages[0].get('channel') == channels.HANDSHAKE:
            owner = None  # a clientId in a handshake means nothing
        if owner is not None and self.manner.recognises(exchange, owner, now):
            exchange.session = owner
        for message in messages:
            # Some bodies that are refused for their size would fill the memory.
            if self._is_too_large(size):
                message = {name: message[name] for name in _SHORT if name in message}
            self._note(now, Kind.REQUEST, exchange, message.get('channel'), message)
        self.inspector.look_at_request(exchange, now, owner)
        if (answer := self.manner.turn_away(exchange, now)) is not None:
            for message in answer.messages or ():
                self._note(now, Kind.REPLY, exchange, message.get('channel'), message)
            self._note_answer(exchange, answer, now)
            return answer
        handshakes = [one for one in messages if one.get('channel') == channels.HANDSHAKE]
        if not messages or (handshakes and len(messages) > 1):
            return self._refuse_request(exchange_id, 500, now)
        if handshakes:
            connects.handshake(self, exchange, messages[0], now)
            return self._answer(exchange, now)
        return self._process(exchange, now)

    @property
    def deadline(self) -> float | None:
        """When `elapsed` has something to do, in seconds; None while nothing is pending."""
        found = self._timers.next(self.registry)
        return found[0] if found is not None else None

    def elapsed(self, now: float) -> None:
        """Do what is due: release connects and lazy events, expire sessions."""
        while (found := self._timers.next(self.registry)) is not None and found[0] <= now:
            session = found[1]
            if session.held is not None and session.held.until <= now:
                self.manner.hold_is_over(session, now)
                self._release(session, now)
            elif session.lazy_at is not None and session.lazy_at <= now:
                session.lazy_at = None
                self._release(session, now)
            else:
                self.end(session, 'expired', now)
            self._timers.arm(session)

    def publish(self, channel: str, data: Any, now: float, *, lazy: bool = False) -> int:
        """Publish an event from the server's side; returns how many sessions it reached.

        Raises:
            ValueError: not a channel that can be published to, or not what its events look like. Nothing
                happened.
        """
        if not channels.is_valid(channel) or channels.is_wild(channel) or channels.is_meta(channel):
            raise ValueError(f'{channel!r} is not a channel to publish to')
        self.elapsed(now)
        data = self.manner.record(channel, data, now)
        return self.broadcast({'channel': channel, 'data': data}, now, lazy=lazy)

    def gone(self, exchange_id: int, now: float) -> None:
        """The connection of a held connect broke; unknown numbers are ignored."""
        if not self.settings.notices_gone or exchange_id not in self._holders:
            return
        session = self._holders[exchange_id]
        held = self._let_go(session)
        assert held is not None
        session.expires_at = now + self._interval(session) + self.settings.max_interval
        self._note(now, Kind.GONE, held.exchange, channels.CONNECT)
        self._timers.arm(session)

    def take_answers(self) -> list[tuple[int, Answer]]:
        """The answers to held connects since the last call, oldest first."""
        answers, self._answers = self._answers, []
        return answers

    def disconnect(self, now: float, client_id: str | None = None) -> int:
        """Disconnect one session, or all, from the server's side; returns how many.

        A held connect is answered with a `/meta/disconnect` message and the advice not to come back.
        """
        chosen = [one for one in self.registry if client_id in (None, one.client_id)]
        for session in chosen:
            self.manner.dismiss(session, now)
            self._release(session, now)
        return len(chosen)

    def restart(self, now: float) -> tuple[int, ...]:
        """Lose all sessions, queues and channels, as a server does that starts again.

        Returns:
            The held exchanges: they get no answer, their connections break.
        """
        broken = tuple(self._holders)
        for session in self.registry:
            self._let_go(session)
            self.end(session, 'restart', now)
        self.registry = Registry()
        self._timers = Timers()
        self.journal.write(now, Kind.RESTARTED)
        return broken

    @property
    def sessions(self) -> tuple[SessionView, ...]:
        """All living sessions, oldest first."""
        return self.registry.views()

    # --- what `commands` and `connects` call ----------------------------------------------------

    def broadcast(
        self, event: dict[str, Any], now: float, *, lazy: bool, sender: Session | None = None
    ) -> int:
        """Queue an event for all who subscribed; returns how many sessions that were."""
        channel = event['channel']
        lazy = lazy or any(channels.matches(pattern, channel) for pattern in self.settings.lazy_channels)
        self.registry.create(channel)
        copies = self.manner.recipients(event, now)
        if sender is not None and not self.settings.broadcast_to_publisher:
            copies = [copy for copy in copies if copy[0] is not sender]
        reached = len({session.client_id for session, _ in copies})
        detail = {'sessions': reached, 'lazy': lazy}
        self.journal.write(now, Kind.PUBLISHED, channel=channel, detail=detail)
        for session, copy in copies:
            session.enqueue(copy, lazy)
            if session is self._batching:
                continue  # rides on the answer that is being made
            if not lazy:
                self._release(session, now)
            elif session.lazy_at is None:
                session.lazy_at = now + self.settings.max_lazy_timeout
                self._timers.arm(session)
        return reached

    def end(self, session: Session, why: str, now: float) -> None:
        """End a session: subscriptions go, nothing more is queued. A held connect stays to be released."""
        self.registry.remove(session)
        self.journal.write(now, Kind.CLOSED, session=session.client_id, detail={'why': why})

    def overtake(self, session: Session, now: float) -> None:
        """Fail the held connect of a session, if there is one, without its events."""
        if (held := self._let_go(session)) is not None:
            answer = Answer(self.settings.overtaken_status)
            self._note_answer(held.exchange, answer, now)
            self._answers.append((held.exchange.id, answer))

    def hold(self, session: Session, held: HeldConnect, now: float) -> None:
        """Keep a connect until an event, its time, or something else releases it."""
        self.registry.hold(session, held)
        self._holders[held.exchange.id] = session
        self._timers.arm(session)
        self._note(now, Kind.HELD, held.exchange, channels.CONNECT, {'until': held.until})

    def complete(self, exchange: Exchange, reply: dict[str, Any]) -> None:
        """Finish a connect reply, at the moment when it leaves."""
        session = exchange.session
        if session is not None:
            if session.ended:
                self.manner.part(session, reply)
            if session.acks is not None:
                exchange.ack_batch = session.acks.close_batch()
                reply['ext'] = {'ack': exchange.ack_batch}
        exchange.replies.append(reply)
        exchange.send_queue = exchange.schedules_expiry = True

    def random_text(self, length: int) -> str:
        """A text nobody can guess, if our chance is good: about 5.17 bits a character."""
        return ''.join(self._random.choice(_BASE_36) for _ in range(length))

    # --- requests -----------------------------------------------------------------------------

    def _process(self, exchange: Exchange, now: float) -> Answer | None:
        session = exchange.session
        # Events that a request causes ride on its own answer instead of waking the held connect.
        if session is not None and exchange.messages[0].get('channel') != channels.CONNECT:
            self._batching = session
        for message in exchange.messages:
            if message.get('channel') != channels.CONNECT:
                commands.process(self, exchange, message, self.manner.refusal(exchange, message, now), now)
            elif connects.connect(self, exchange, message, self.manner.refusal(exchange, message, now), now):
                return None
        answer = self._answer(exchange, now)
        self._batching = None
        if session is not None:
            if session.ended or session.urgent:
                self._release(session, now)
            self._timers.arm(session)
        return answer

    # --- held connects and answers ------------------------------------------------------------

    def _let_go(self, session: Session) -> HeldConnect | None:
        held = self.registry.let_go(session)
        if held is not None:
            del self._holders[held.exchange.id]
        return held

    def _release(self, session: Session, now: float) -> None:
        """Answer the held connect, if there is one."""
        if (held := self._let_go(session)) is not None:
            self.complete(held.exchange, held.reply)
            self._answers.append((held.exchange.id, self._answer(held.exchange, now)))
            self._timers.arm(session)

    def _answer(self, exchange: Exchange, now: float) -> Answer:
        session, settings = exchange.session, self.settings
        events: list[dict[str, Any]] = []
        if session is not None and exchange.send_queue:
            events = session.take_queue(exchange.ack_batch)
        if session is not None and exchange.schedules_expiry and not session.ended:
            session.expires_at = now + self._interval(session) + settings.max_interval
            last = exchange.replies[-1]
            if last.get('channel') == channels.CONNECT:
                advised = seconds(last.get('advice', {}).get('interval'))
                session.next_poll_at = now + (self._interval(session) if advised is None else advised)
            self._timers.arm(session)
        parts = [(Kind.EVENT, one) for one in events] + [(Kind.REPLY, one) for one in exchange.replies]
        if settings.replies_first:
            parts = parts[len(events) :] + parts[: len(events)]
        for kind, message in parts:
            self._note(now, kind, exchange, message.get('channel'), message)
        cookie = None
        if exchange.set_cookie is not None:
            cookie = f'{settings.cookie_name}={exchange.set_cookie}; Path=/; HttpOnly'
        messages = [message for _, message in parts]
        answer = Answer(200, messages, cookie, timed_cookie=exchange.timed_cookie)
        self._note_answer(exchange, answer, now)
        return answer

    def _refuse_request(self, exchange_id: int, status: int, now: float) -> Answer:
        answer = Answer(status)
        self._note_answer(Exchange(exchange_id, [], None), answer, now)
        return answer

    # --- small parts ----------------------------------------------------------------------------

    def _is_too_large(self, size: int) -> bool:
        settings = self.settings
        return isinstance(settings, SalesforceSettings) and size > settings.request_limit

    def _interval(self, session: Session) -> float:
        return self.settings.interval if session.own_interval is None else session.own_interval

    def _note_answer(self, exchange: Exchange, answer: Answer, now: float) -> None:
        first = exchange.messages[0].get('channel') if exchange.messages else None
        count = len(answer.messages or [])
        self._note(now, Kind.ANSWER, exchange, first, {'status': answer.status, 'messages': count})

    def _note(
        self,
        now: float,
        kind: Kind,
        exchange: Exchange,
        channel: object,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        session = exchange.session.client_id if exchange.session is not None else None
        self.journal.write(now, kind, exchange=exchange.id, session=session, channel=channel, detail=detail)
