"""How Salesforce's Streaming API differs from other CometD servers: who may come, replay, limits. Pure.

It decides with `Rules` (users, channels: the org's business) and books of its own (`streams`, `limits`).
Where nothing has been recorded or documented, it does what the CometD server does that it is made of.
Source: Streaming API Developer Guide, and recorded exchanges, in tests/wire.
"""

import re
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from . import channels, texts
from .answers import Answer, advice_of, crowded_advice, ext_of, reply_to, validate
from .limits import ROUTING_COOKIE, Routes
from .rules import OpenRules, Rules
from .sessions import Exchange, Session
from .settings import SalesforceSettings
from .streams import Streams

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ['Salesforce']

OLDEST_VERSION = (37, 0)
_EXT = {'replay': True, 'payload.format': True}
_VERSION = re.compile(r'(\d{1,3})\.(\d{1,2})(/.*)?')
_OLD_VERSION = re.compile(r'replay/(\d{1,3})\.(\d{1,2})(/.*)?')


class Salesforce:
    """The manner of Salesforce. See `manner.Manner` for the methods without a text.

    Attributes:
        streams: subscriptions, and what can be replayed.
        routes: the load balancer.
    """

    def __init__(self, broker: 'Broker', random: Random, rules: Rules | None) -> None:
        self._broker = broker
        self._rules = rules if rules is not None else OpenRules()
        self.streams = Streams(broker, random, self._rules)
        self.routes = Routes(random)

    @property
    def _settings(self) -> SalesforceSettings:
        settings = self._broker.settings
        assert isinstance(settings, SalesforceSettings)
        return settings

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
        if channel == channels.CONNECT and exchange.session.parting is not None:
            return exchange.session.parting
        if channel in (channels.CONNECT, channels.SUBSCRIBE):
            return texts.DAILY_LIMIT if self.streams.is_spent(now) else None
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

    # --- channels and events ----------------------------------------------------------------------

    def subscribe(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        wanted = message.get('subscription')
        if wanted == []:
            return texts.SUBSCRIPTION_MISSING
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if (error := self.streams.subscribe(session, name, ext_of(message), now)) is not None:
                return error
        return None

    def unsubscribe(self, session: Session, message: Mapping[str, Any]) -> str | None:
        wanted = message.get('subscription')
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if not isinstance(name, str) or not name:
                return texts.SUBSCRIPTION_MISSING
            self._broker.registry.unsubscribe(session, name)
        return None

    def publish(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        return texts.PUBLISH_DENIED

    def record(self, channel: str, data: Any, now: float) -> Any:
        return self.streams.logs.append(channel, data, now)

    def recipients(self, event: dict[str, Any], now: float) -> list[tuple[Session, dict[str, Any]]]:
        return self.streams.recipients(event, now)


def _path_problem(path: str) -> str | None:
    """Why a URL is not one of the endpoint's: `66.0`, also with a slash or a message type behind it."""
    match = _VERSION.fullmatch(path) or _OLD_VERSION.fullmatch(path)
    if match is None:
        return texts.VERSION_MISSING
    if match.re is _OLD_VERSION or (int(match[1]), int(match[2])) < OLDEST_VERSION:
        return texts.VERSION_UNSUPPORTED
    return None
