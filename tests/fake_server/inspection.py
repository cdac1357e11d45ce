"""What clients must not do, found by looking at their requests. Pure; it changes no answer.

Each finding goes to the journal as a violation. What a server refuses anyway is the broker's part.
"""

from collections import deque
from typing import Any

from . import channels
from .answers import id_text
from .journal import Journal, Kind, Violation
from .sessions import Exchange, Session

__all__ = ['Inspector']

# Salesforce: Streaming API, "maximum size of the HTTP request post body".
REQUEST_LIMIT_BYTES = 32_768
# Clocks are read before and after a write; a wait that is right to the millisecond is not early.
TOLERANCE_S = 0.001

_DEMANDED = {
    channels.HANDSHAKE: ('version', 'supportedConnectionTypes'),
    channels.CONNECT: ('clientId', 'connectionType'),
    channels.DISCONNECT: ('clientId',),
    channels.SUBSCRIBE: ('clientId', 'subscription'),
    channels.UNSUBSCRIBE: ('clientId', 'subscription'),
}


class Inspector:
    """Looks at every request before the broker acts on it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._disconnected: deque[str] = deque(maxlen=1000)

    def disconnected(self, session: Session) -> None:
        """Remember that a client ended this session itself."""
        self._disconnected.append(session.client_id)

    def look_at_request(self, exchange: Exchange, now: float, owner: Session | None) -> None:
        """Look at a whole request.

        Args:
            exchange: the request; its session is None when the server will not know it.
            now: seconds.
            owner: the living session that the first message names, whatever its cookie.
        """
        if exchange.size > REQUEST_LIMIT_BYTES:
            self._note(exchange, now, Violation.LARGE_REQUEST, f'{exchange.size} bytes')
        if owner is not None and exchange.session is None and owner.browser != exchange.browser:
            self._note(exchange, now, Violation.COOKIE_MISSING, f'cookie {exchange.browser!r} came instead')
        names = [message.get('channel') for message in exchange.messages]
        if len(names) > 1 and channels.HANDSHAKE in names:
            self._note(exchange, now, Violation.HANDSHAKE_NOT_ALONE, f'{len(names)} messages')
        ids = [id_text(message['id']) for message in exchange.messages if message.get('id') is not None]
        if len(set(ids)) < len(ids):
            self._note(exchange, now, Violation.ID_REPEATED, ', '.join(ids))
        for message in exchange.messages:
            self._look_at_message(exchange, message, now)

    def look_at_connect(self, exchange: Exchange, session: Session, acks: bool, now: float) -> None:
        """Look at a connect of a known session; `acks` says whether it carries an acknowledgement."""
        if session.held is not None:
            self._note(exchange, now, Violation.OVERTAKING, 'a connect of this session is held')
        if session.next_poll_at is not None and now < session.next_poll_at - TOLERANCE_S:
            early = session.next_poll_at - now
            self._note(exchange, now, Violation.EARLY_POLL, f'{early:.3f} s too early')
        if session.acks is not None and not acks:
            self._note(exchange, now, Violation.ACK_MISSING, 'no ext.ack')

    def _look_at_message(self, exchange: Exchange, message: dict[str, Any], now: float) -> None:
        channel = message.get('channel')
        if not isinstance(channel, str):
            self._note(exchange, now, Violation.FIELD_MISSING, 'channel')
            return
        demanded = _DEMANDED.get(channel, () if channels.is_meta(channel) else ('data',))
        for name in demanded:
            if message.get(name) is None and not (name == 'data' and 'data' in message):
                self._note(exchange, now, Violation.FIELD_MISSING, f'{channel}: {name}')
        if message.get('id') is not None and not channels.is_valid_id(id_text(message['id'])):
            self._note(exchange, now, Violation.ID_INVALID, id_text(message['id']) or 'not a text')
        if message.get('clientId') in self._disconnected:
            self._note(exchange, now, Violation.AFTER_DISCONNECT, channel)
        if channel == channels.HANDSHAKE and 'clientId' in message:
            self._note(exchange, now, Violation.FIELD_FORBIDDEN, 'clientId in a handshake')
        if channel == channels.SUBSCRIBE:
            wanted = message.get('subscription')
            for one in wanted if isinstance(wanted, list) else [wanted]:
                if isinstance(one, str) and channels.is_meta(one):
                    self._note(exchange, now, Violation.META_SUBSCRIPTION, one)
        if not channels.is_meta(channel) and channels.is_wild(channel):
            self._note(exchange, now, Violation.WILD_PUBLISH, channel)

    def _note(self, exchange: Exchange, now: float, violation: Violation, text: str) -> None:
        first = exchange.messages[0] if exchange.messages else {}
        client_id = exchange.session.client_id if exchange.session else first.get('clientId')
        self._journal.write(
            now,
            Kind.VIOLATION,
            exchange=exchange.id,
            session=client_id if isinstance(client_id, str) else None,
            channel=first.get('channel'),
            detail={'violation': violation.value, 'text': text},
        )
