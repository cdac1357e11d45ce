"""What handshake and connect do: sessions begin, connects are answered or held. Pure; works on a `Broker`.

Source: Bayeux 1.0, "handshake" and "connect"; when a connect is held is the reference server's rule.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .answers import advice_of, ext_of, seconds
from .journal import Kind
from .sessions import Exchange, HeldConnect, Session

if TYPE_CHECKING:
    from .broker import Broker

__all__ = ['connect', 'handshake']


def handshake(broker: 'Broker', exchange: Exchange, message: dict[str, Any], now: float) -> None:
    """Begin a session, always a new one, and append the reply.

    The reference server looks neither at `version` nor at `supportedConnectionTypes`; the journal does.
    """
    manner = broker.manner
    reply = manner.reply_to(exchange, message)
    exchange.replies.append(reply)
    if (error := manner.refusal(exchange, message, now)) is not None:
        return manner.refuse(exchange, reply, error, now)
    browser = exchange.browser
    if browser is None:
        browser = exchange.set_cookie = broker.random_text(16)
    # 28 characters of 36 are 144 bits; the specification demands 128.
    session = Session(broker.random_text(28), browser)
    broker.registry.add(session)
    exchange.session = session
    exchange.schedules_expiry = True
    broker.journal.write(now, Kind.OPENED, exchange=exchange.id, session=session.client_id)
    reply['successful'] = True
    reply['clientId'] = session.client_id
    reply['version'] = reply['minimumVersion'] = '1.0'
    reply['supportedConnectionTypes'] = list(broker.settings.connection_types)
    return manner.welcome(exchange, session, message, reply, now)


def connect(
    broker: 'Broker', exchange: Exchange, message: dict[str, Any], refusal: str | None, now: float
) -> bool:
    """Answer or hold a connect.

    Args:
        refusal: why the message is refused before it is looked at, or None.
    Returns:
        True when it is held; then nothing was appended to the replies yet.
    """
    session = exchange.session
    reply = broker.manner.reply_to(exchange, message)
    if refusal is not None or session is None:
        if session is not None:
            broker.overtake(session, now)
        broker.manner.refuse(exchange, reply, refusal or '', now)
        broker.complete(exchange, reply)
        return False
    acked = _number(ext_of(message).get('ack'))
    broker.inspector.look_at_connect(exchange, session, acked is not None, now)
    broker.overtake(session, now)
    first, session.connected = not session.connected, True
    session.expires_at = session.next_poll_at = None
    _take_advice(session, message, acked)
    reply['successful'] = True
    if not session.advised:
        session.advised = True
        reply['advice'] = advice_of(broker.settings, session.own_interval)
    timeout = broker.settings.timeout if session.own_timeout is None else session.own_timeout
    if len(exchange.messages) == 1 and not session.urgent:
        limit = broker.settings.max_sessions_per_browser
        if limit >= 0 and broker.registry.held_behind(session.browser) >= limit:
            _advise_multiple_clients(broker, reply)
        elif timeout > 0 and not first:
            broker.hold(session, HeldConnect(exchange, reply, now + timeout), now)
            return True
    broker.complete(exchange, reply)
    return False


def _take_advice(session: Session, message: Mapping[str, Any], acked: float | None) -> None:
    """Take over what the client asks for this one connect, and what it acknowledges."""
    asked = message.get('advice')
    asked = asked if isinstance(asked, dict) else None
    if session.acks is not None and acked is not None:
        session.acks.acknowledge(acked)
        # What was sent but not acknowledged goes out again now, unless the client said how long to wait.
        if not session.urgent and len(session.queue) != len(session.acks):
            asked = {'timeout': 0, **(asked or {})}
    session.own_timeout = seconds(asked.get('timeout')) if asked is not None else None
    session.own_interval = seconds(asked.get('interval')) if asked is not None else None
    if asked is not None:
        session.advised = False  # it may have forgotten ours, after a reload of its page for instance


def _advise_multiple_clients(broker: 'Broker', reply: dict[str, Any]) -> None:
    reply['advice'] = {**reply.get('advice', {}), **broker.manner.crowded()}
    if reply['advice']['reconnect'] == 'none':
        reply['successful'] = False


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
