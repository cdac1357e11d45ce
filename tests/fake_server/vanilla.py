"""How the reference server (CometD Java 6) differs from others: errors, advice, who may do what. Pure.

Source: its `BayeuxServerImpl`, `AbstractHttpTransport` and `DefaultSecurityPolicy`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import channels, errors
from .answers import Answer, advice_of, crowded_advice, ext_of, refuse, reply_to, validate
from .sessions import AckBook, Exchange, Session

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ['Vanilla']


class Vanilla:
    """The manner of a plain CometD server. See `manner.Manner` for the methods."""

    def __init__(self, broker: 'Broker') -> None:
        self._broker = broker

    def recognises(self, exchange: Exchange, session: Session, now: float) -> bool:
        return self._broker.settings.trust_client_id or session.browser == exchange.browser

    def turn_away(self, exchange: Exchange, now: float) -> Answer | None:
        return None

    def reply_to(self, exchange: Exchange, message: Mapping[str, Any]) -> dict[str, Any]:
        return reply_to(message, self._broker.settings)

    def refusal(self, exchange: Exchange, message: dict[str, Any], now: float) -> str | None:
        if (error := validate(message)) is not None:
            return error
        if message['channel'] == channels.HANDSHAKE:
            return errors.HANDSHAKE_DENIED if self._broker.settings.deny_handshake else None
        return None if exchange.speaks_for(message) else errors.SESSION_UNKNOWN

    def refuse(self, exchange: Exchange, reply: dict[str, Any], error: str, now: float) -> None:
        refuse(reply, error)
        if error == errors.HANDSHAKE_DENIED:
            reply['advice'] = {'reconnect': self._broker.settings.deny_handshake_reconnect}

    def welcome(
        self,
        exchange: Exchange,
        session: Session,
        message: Mapping[str, Any],
        reply: dict[str, Any],
        now: float,
    ) -> None:
        reply['advice'] = advice_of(self._broker.settings, None)
        if self._broker.settings.ack_extension and ext_of(message).get('ack') is True:
            session.acks = AckBook()
            reply['ext'] = {'ack': True}

    def crowded(self) -> dict[str, Any]:
        return crowded_advice(self._broker.settings)

    def subscribe(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        settings, registry = self._broker.settings, self._broker.registry
        names, error = _subscriptions(message)
        for name in names:
            reserved = errors.DENIED_BY_POLICY if channels.is_meta(name) else None
            if not registry.exists(name) and name not in _EXISTING:
                reason = reserved or channels.first_match(settings.deny_create, name)
                if reason is not None:
                    return errors.create_denied(reason)
            # Like the reference server: the channel exists even if the subscription is refused, and what
            # stands before a refused channel in the same array stays subscribed.
            if reserved is None:
                registry.create(name)
            reason = reserved or channels.first_match(settings.deny_subscribe, name)
            if reason is not None:
                return errors.subscribe_denied(reason)
            # Answers on service channels go to the sender alone; there is nothing to record.
            if not channels.is_service(name):
                registry.subscribe(session, name)
        return error

    def unsubscribe(self, session: Session, message: Mapping[str, Any]) -> str | None:
        names, error = _subscriptions(message)
        for name in names:
            if not self._broker.registry.exists(name):
                return errors.CHANNEL_MISSING
            self._broker.registry.unsubscribe(session, name)
        return error

    def publish(self, session: Session, message: Mapping[str, Any], now: float) -> str | None:
        settings, registry = self._broker.settings, self._broker.registry
        channel = message['channel']
        if channels.is_meta(channel):
            return errors.channel_create_denied(errors.DENIED_BY_POLICY)
        if not registry.exists(channel):
            reason = channels.first_match(settings.deny_create, channel)
            if reason is not None:
                return errors.channel_create_denied(reason)
        reason = channels.first_match(settings.deny_publish, channel)
        if reason is not None:
            return errors.publish_denied(reason)
        registry.create(channel)
        if not channels.is_service(channel):
            event = {name: value for name, value in message.items() if name not in ('clientId', 'id')}
            self._broker.broadcast(event, now, lazy=False, sender=session)
        return None

    def record(self, channel: str, data: Any, now: float) -> Any:
        return data

    def recipients(self, event: dict[str, Any], now: float) -> list[tuple[Session, dict[str, Any]]]:
        return [(session, event) for session in self._broker.registry.reached(event['channel'])]

    def dismiss(self, session: Session, now: float) -> None:
        self._broker.end(session, 'server', now)
        session.enqueue({'channel': channels.DISCONNECT, 'successful': True}, lazy=False)

    def hold_is_over(self, session: Session, now: float) -> None:
        return None

    def part(self, session: Session, reply: dict[str, Any]) -> None:
        reply.setdefault('advice', {})['reconnect'] = 'none'


_EXISTING = (
    channels.HANDSHAKE,
    channels.CONNECT,
    channels.DISCONNECT,
    channels.SUBSCRIBE,
    channels.UNSUBSCRIBE,
)


def _subscriptions(message: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """The channels of a subscribe or unsubscribe; an error text with none of them if one is invalid."""
    wanted = message.get('subscription')
    if wanted is None:
        return [], errors.SUBSCRIPTION_MISSING
    names = wanted if isinstance(wanted, list) else [wanted]
    if not names or not all(channels.is_valid(name) for name in names):
        return [], errors.SUBSCRIPTION_INVALID
    return names, None
