"""What subscribe, unsubscribe, publish and disconnect do. Pure; works on the books of a `Broker`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import channels, errors
from .answers import refuse, reply_to
from .sessions import Exchange, Session

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ['process']


def process(
    broker: 'Broker', exchange: Exchange, message: dict[str, Any], refusal: str | None, now: float
) -> None:
    """Process any message but a handshake or a connect, and append its reply.

    Args:
        refusal: why the message is refused before it is looked at, or None.
    """
    reply = reply_to(message, broker.settings)
    exchange.replies.append(reply)
    session = exchange.session
    if session is None or not (broker.settings.meta_connect_deliver_only or session.acks is not None):
        exchange.send_queue = True
    if refusal is not None or session is None:
        return refuse(reply, refusal or errors.SESSION_UNKNOWN)
    if session.expires_at is not None:
        session.expires_at = max(session.expires_at, now + broker.settings.max_interval)
    error = None
    match message['channel']:
        case channels.SUBSCRIBE:
            error = _subscribe(broker, session, message)
        case channels.UNSUBSCRIBE:
            error = _unsubscribe(broker, session, message)
        case channels.DISCONNECT:
            broker.inspector.disconnected(session)
            broker.end(session, 'disconnect', now)
        case _:
            error = _publish(broker, session, message, now)
    if error is not None:
        return refuse(reply, error)
    reply['successful'] = True
    return None


def _subscribe(broker: 'Broker', session: Session, message: Mapping[str, Any]) -> str | None:
    names, error = _subscriptions(message)
    for name in names:
        reserved = errors.DENIED_BY_POLICY if channels.is_meta(name) else None
        if not broker.registry.exists(name) and name not in _EXISTING:
            reason = reserved or _reason(broker.settings.deny_create, name)
            if reason is not None:
                return errors.create_denied(reason)
        # Like the reference server: the channel exists even if the subscription is refused, and what
        # stands before a refused channel in the same array stays subscribed.
        if reserved is None:
            broker.registry.create(name)
        reason = reserved or _reason(broker.settings.deny_subscribe, name)
        if reason is not None:
            return errors.subscribe_denied(reason)
        # Answers on service channels go to the sender alone; there is nothing to record.
        if not channels.is_service(name):
            broker.registry.subscribe(session, name)
    return error


def _unsubscribe(broker: 'Broker', session: Session, message: Mapping[str, Any]) -> str | None:
    names, error = _subscriptions(message)
    for name in names:
        if not broker.registry.exists(name):
            return errors.CHANNEL_MISSING
        broker.registry.unsubscribe(session, name)
    return error


def _publish(broker: 'Broker', session: Session, message: Mapping[str, Any], now: float) -> str | None:
    channel = message['channel']
    if channels.is_meta(channel):
        return errors.channel_create_denied(errors.DENIED_BY_POLICY)
    if not broker.registry.exists(channel):
        reason = _reason(broker.settings.deny_create, channel)
        if reason is not None:
            return errors.channel_create_denied(reason)
    reason = _reason(broker.settings.deny_publish, channel)
    if reason is not None:
        return errors.publish_denied(reason)
    broker.registry.create(channel)
    if not channels.is_service(channel):
        event = {name: value for name, value in message.items() if name not in ('clientId', 'id')}
        broker.broadcast(event, now, lazy=False, sender=session)
    return None


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


def _reason(denied: Mapping[str, str], channel: str) -> str | None:
    """Why the policy refuses a channel, None if it does not. A pattern also denies itself."""
    for pattern, reason in denied.items():
        if channels.matches(pattern, channel):
            return reason
    return None
