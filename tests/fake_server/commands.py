"""What subscribe, unsubscribe, publish and disconnect do. Pure; works on the books of a `Broker`."""

from typing import TYPE_CHECKING, Any

from . import channels
from .sessions import Exchange

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
    manner = broker.manner
    reply = manner.reply_to(exchange, message)
    exchange.replies.append(reply)
    session = exchange.session
    if session is None or not (broker.settings.meta_connect_deliver_only or session.acks is not None):
        exchange.send_queue = True
    if refusal is not None or session is None:
        return manner.refuse(exchange, reply, refusal or '', now)
    if session.expires_at is not None:
        session.expires_at = max(session.expires_at, now + broker.settings.max_interval)
    error = None
    match message['channel']:
        case channels.SUBSCRIBE:
            error = manner.subscribe(session, message, now)
        case channels.UNSUBSCRIBE:
            error = manner.unsubscribe(session, message)
        case channels.DISCONNECT:
            broker.inspector.disconnected(session)
            broker.end(session, 'disconnect', now)
        case _:
            error = manner.publish(session, message, now)
    if error is not None:
        return manner.refuse(exchange, reply, error, now)
    reply['successful'] = True
    return None
