"""How Salesforce's Streaming API differs from other CometD servers: who may come, replay, limits. Pure.

It decides with `Rules` (users, channels: the org's business) and its own books (replay logs, routes,
allowances). Where nothing has been recorded or documented, it does what the CometD server does that it is
made of.
Source: Streaming API Developer Guide, and recorded exchanges, in tests/wire.
"""

import re
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from . import channels, texts
from .answers import Answer, advice_of, crowded_advice, ext_of, reply_to, validate
from .filters import Filter, split
from .limits import ROUTING_COOKIE, EventAllowance, Routes
from .replay import ONLY_NEW, ReplayLogs
from .sessions import Exchange, Session
from .settings import SalesforceSettings

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ['OpenRules', 'Rules', 'Salesforce']

OLDEST_VERSION = (37, 0)
_EXT = {'replay': True, 'payload.format': True}
_VERSION = re.compile(r'(\d{1,3})\.(\d{1,2})(/.*)?')
_OLD_VERSION = re.compile(r'replay/(\d{1,3})\.(\d{1,2})(/.*)?')


class Rules(Protocol):
    """What the org knows: its users and its channels."""

    def user_of(self, authorization: str | None, now: float) -> object:
        """The user id, a text, behind `Bearer TOKEN` or `OAuth TOKEN`; anything else: nobody."""

    def topic_problem(self, channel: str, fields: tuple[str, ...]) -> str | None:
        """Why a channel (without its filter) cannot be subscribed to with a filter on these fields."""


class OpenRules:
    """Everybody with a token is the same user; every channel exists."""

    def user_of(self, authorization: str | None, now: float) -> object:
        scheme, _, token = (authorization or '').partition(' ')
        return '005000000000001AAA' if scheme in ('Bearer', 'OAuth') and token.strip() else None

    def topic_problem(self, channel: str, fields: tuple[str, ...]) -> str | None:
        return None


class Salesforce:
    """The manner of Salesforce. See `manner.Manner` for the methods without a text.

    Attributes:
        logs: what can be replayed.
        routes: the load balancer.
    """

    def __init__(self, broker: 'Broker', random: Random, rules: Rules | None) -> None:
        self._broker = broker
        self._rules = rules if rules is not None else OpenRules()
        self._allowance = EventAllowance()
        self._filters: dict[str, dict[str, Filter]] = {}
        self.logs = ReplayLogs(random, self._retention)
        self.routes = Routes(random)

    @property
    def _settings(self) -> SalesforceSettings:
        settings = self._broker.settings
        assert isinstance(settings, SalesforceSettings)
        return settings

    def _retention(self, channel: str) -> float:
        durable = channel.startswith(('/event/', '/data/'))
        return self._settings.retention_events if durable else self._settings.retention_topics

    def allowances(self, now: float) -> dict[str, tuple[int, int]]:
        """The limits that REST tells under `limits`: name -> (most, left). What has no limit is not told."""
        events, clients = self._settings.daily_event_limit, self._settings.client_limit
        left = self._allowance.left(events, now)
        told = {
            # All kinds of events share one allowance here.
            'DailyDurableStreamingApiEvents': (events, left),
            'DailyDurableGenericStreamingApiEvents': (events, left),
            'DurableStreamingApiConcurrentClients': (clients, clients - len(self._broker.registry)),
        }
        return {name: (most, max(0, left)) for name, (most, left) in told.items() if most >= 0}

    # --- who comes --------------------------------------------------------------------------------

    def recognises(self, exchange: Exchange, session: Session, now: float) -> bool:
        if self._settings.trust_client_id:
            return True
        route = exchange.cookies.get(ROUTING_COOKIE)
        return (
            session.browser == exchange.browser and session.route == route and self.routes.leads(route, now)
        )

    def turn_away(self, exchange: Exchange, now: float) -> Answer | None:
        settings = self._settings
        if exchange.size > settings.request_limit:
            return Answer(413, text=texts.TOO_LARGE)
        if (problem := _path_problem(exchange.path)) is not None:
            return Answer(400, [{'error': problem, 'successful': False}])
        if not self.routes.leads(exchange.cookies.get(ROUTING_COOKIE), now):
            exchange.timed_cookie = self.routes.open(settings.routing_cookie_ttl, now)
        if exchange.authorization is None:
            failure = {'error': texts.AUTH_MISSING, 'successful': False}
            return Answer(200, [failure], timed_cookie=exchange.timed_cookie)
        return None

    def reply_to(self, exchange: Exchange, message: Mapping[str, Any]) -> dict[str, Any]:
        reply = reply_to(message, self._settings)
        if exchange.session is not None:
            reply['clientId'] = exchange.session.client_id
        return reply

    def refusal(self, exchange: Exchange, message: dict[str, Any], now: float) -> str | None:
        if (error := validate(message)) is not None:
            return error
        channel = message['channel']
        if channel in self._settings.busy:
            return texts.BUSY
        user = self._rules.user_of(exchange.authorization, now)
        if channel == channels.HANDSHAKE:
            return self._handshake_refusal(user)
        if not exchange.speaks_for(message) or exchange.session is None:
            return self._stranger(exchange, message)
        if not isinstance(user, str):
            return texts.AUTH_INVALID
        if user != exchange.session.user:
            return texts.OTHER_USER
        if channel == channels.CONNECT and message.get('connectionType') != 'long-polling':
            return texts.invalid_connection_type(message.get('connectionType'))
        if channel in (channels.CONNECT, channels.SUBSCRIBE):
            spent = self._allowance.is_spent(self._settings.daily_event_limit, now)
            return texts.DAILY_LIMIT if spent else None
        return None

    def _handshake_refusal(self, user: object) -> str | None:
        settings = self._settings
        if not isinstance(user, str):
            return texts.AUTH_INVALID
        if settings.too_many_connections:
            return texts.TOO_MANY_CONNECTIONS
        if 0 <= settings.client_limit <= len(self._broker.registry):
            return texts.CLIENT_LIMIT
        return texts.HANDSHAKE_DENIED if settings.deny_handshake else None

    def _stranger(self, exchange: Exchange, message: Mapping[str, Any]) -> str:
        client_id = message.get('clientId')
        if client_id is None:
            return texts.NOT_HANDSHAKEN
        if exchange.browser is None and self._broker.registry.get(client_id) is not None:
            return texts.cookie_missing(client_id, self._settings.cookie_name)
        return texts.UNKNOWN_CLIENT

    # --- refusals ---------------------------------------------------------------------------------

    def refuse(self, exchange: Exchange, reply: dict[str, Any], error: str, now: float) -> None:
        reply['successful'] = False
        reply['error'] = error
        channel = reply.get('channel')
        if channel == channels.HANDSHAKE:
            self._refuse_handshake(reply, error)
        elif error == texts.BUSY:
            # Recorded like this: the error says that the token is bad, the reason that it is not.
            reply['error'] = texts.AUTH_INVALID
            reply['ext'] = {'sfdc': {'failureReason': error}}
        if channel == channels.CONNECT:
            self._refuse_connect(exchange, reply, error, now)

    def _refuse_handshake(self, reply: dict[str, Any], error: str) -> None:
        advised = 'none'
        reply['error'] = texts.HANDSHAKE_DENIED
        reply['ext'] = dict(_EXT)
        if error == texts.HANDSHAKE_DENIED:
            advised = self._settings.deny_handshake_reconnect
        else:
            reply['ext']['sfdc'] = {'failureReason': error}
        reply['advice'] = {'reconnect': advised}

    def _refuse_connect(self, exchange: Exchange, reply: dict[str, Any], error: str, now: float) -> None:
        session = exchange.session
        lost = error in (texts.UNKNOWN_CLIENT, texts.NOT_HANDSHAKEN)
        if lost and not self._settings.unknown_client_disconnects:
            reply['advice'] = {'reconnect': 'handshake', 'interval': 0}
            return
        reply['advice'] = {'reconnect': 'none', 'interval': 0}
        if lost or error == texts.OTHER_USER:
            exchange.replies.append({'channel': channels.DISCONNECT})
        if lost and exchange.messages:
            reply['clientId'] = exchange.messages[0].get('clientId')
        if session is not None and error in (texts.AUTH_INVALID, texts.OTHER_USER):
            self._broker.end(session, 'authentication', now)

    # --- sessions ---------------------------------------------------------------------------------

    def welcome(
        self,
        exchange: Exchange,
        session: Session,
        message: Mapping[str, Any],
        reply: dict[str, Any],
        now: float,
    ) -> None:
        user = self._rules.user_of(exchange.authorization, now)
        session.user = user if isinstance(user, str) else None
        session.route = exchange.cookies.get(ROUTING_COOKIE)
        if exchange.timed_cookie is not None:
            session.route = exchange.timed_cookie.value
        session.advised = False  # the first connect reply has the advice
        reply['ext'] = dict(_EXT)

    def crowded(self) -> dict[str, Any]:
        return {**advice_of(self._settings, None), **crowded_advice(self._settings)}

    def dismiss(self, session: Session, now: float) -> None:
        self._dismiss(session, 'server', texts.UNKNOWN_CLIENT, now)

    def hold_is_over(self, session: Session, now: float) -> None:
        # "Regularly", says the documentation about tokens that end meanwhile; older one: every 110 s.
        held = session.held
        if held is not None and self._rules.user_of(held.exchange.authorization, now) != session.user:
            self._dismiss(session, 'authentication', texts.AUTH_INVALID, now)

    def part(self, session: Session, reply: dict[str, Any]) -> None:
        if session.parting is not None:
            reply['successful'] = False
            reply['error'] = session.parting
            reply['advice'] = {'reconnect': 'none', 'interval': 0}
        elif reply['successful']:
            reply['advice'] = {**reply.get('advice', {}), 'reconnect': 'none'}

    def _dismiss(self, session: Session, why: str, error: str, now: float) -> None:
        self._broker.end(session, why, now)
        session.parting = error
        session.enqueue({'channel': channels.DISCONNECT}, lazy=False)

    # --- channels ---------------------------------------------------------------------------------

    def subscribe(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        wanted = message.get('subscription')
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if (error := self._subscribe(session, name, ext_of(message), now)) is not None:
                return error
        return None

    def _subscribe(self, session: Session, name: object, ext: Mapping[str, Any], now: float) -> str | None:
        if not isinstance(name, str) or not name:
            return texts.SUBSCRIPTION_MISSING
        channel, chosen = split(name)
        if (error := self._channel_problem(channel, chosen)) is not None:
            return error
        position: object = ONLY_NEW
        if 'replay' in ext:
            positions = ext['replay'] if isinstance(ext['replay'], dict) else {}
            position = positions.get(channel)
            if position is None:
                return texts.not_in_replay_map(channel)
        events = self.logs.since(channel, position, now)
        if events is None:
            return texts.invalid_replay_id(position)
        self._broker.registry.subscribe(session, name)
        self._filters.setdefault(channel, {})[name] = chosen
        for data in events:
            if chosen.lets_through(data) and self._allowance.take(self._settings.daily_event_limit, now):
                session.enqueue(self._copy({'channel': channel, 'data': data}, session, name), lazy=False)
        return None

    def _channel_problem(self, channel: str, chosen: Filter) -> str | None:
        if not channel.startswith('/'):
            return texts.SLASH_MISSING
        if channels.is_meta(channel) or channels.is_service(channel):
            return texts.RESTRICTED_CHANNEL
        if (denied := channels.first_match(self._settings.deny_subscribe, channel)) is not None:
            return denied
        if channels.is_wild(channel) or (chosen.terms and not channel.startswith('/topic/')):
            return texts.no_such_channel(channel)
        return self._rules.topic_problem(channel, chosen.fields)

    def unsubscribe(self, session: Session, message: Mapping[str, Any]) -> str | None:
        wanted = message.get('subscription')
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if not isinstance(name, str) or not name:
                return texts.SUBSCRIPTION_MISSING
            self._broker.registry.unsubscribe(session, name)
        return None

    def publish(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        return texts.PUBLISH_DENIED

    # --- events -----------------------------------------------------------------------------------

    def record(self, channel: str, data: Any, now: float) -> Any:
        return self.logs.append(channel, data, now)

    def recipients(self, event: dict[str, Any], now: float) -> list[tuple[Session, dict[str, Any]]]:
        copies: list[tuple[Session, dict[str, Any]]] = []
        seen: set[tuple[str, str]] = set()
        for name, chosen in self._filters.get(event['channel'], {}).items():
            if not chosen.lets_through(event['data']):
                continue
            for session in self._broker.registry.subscribers(name):
                copy = self._copy(event, session, name)
                # Two filters of one topic are one subscription to those who cannot tell them apart.
                if (session.client_id, copy['channel']) in seen:
                    continue
                if self._allowance.take(self._settings.daily_event_limit, now):
                    seen.add((session.client_id, copy['channel']))
                    copies.append((session, copy))
        return copies

    def _copy(self, event: Mapping[str, Any], session: Session, name: str) -> dict[str, Any]:
        """An event as this session gets it for this subscription."""
        copy = dict(event)
        if self._settings.events_name_filter:
            copy['channel'] = name
        if self._settings.events_name_client:
            copy['clientId'] = session.client_id
        return copy


def _path_problem(path: str) -> str | None:
    """Why a URL is not one of the endpoint's: `66.0`, also with a slash or a message type behind it."""
    match = _VERSION.fullmatch(path) or _OLD_VERSION.fullmatch(path)
    if match is None:
        return texts.VERSION_MISSING
    if match.re is _OLD_VERSION or (int(match[1]), int(match[2])) < OLDEST_VERSION:
        return texts.VERSION_UNSUPPORTED
    return None
