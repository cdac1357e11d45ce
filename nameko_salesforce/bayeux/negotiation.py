"""What a handshake reply agrees to. Floor 1: pure functions of the reply.

Source: Bayeux 1.0, "Handshake"; CometD reference, "Acknowledge extension".
"""

from collections.abc import Mapping

from nameko_salesforce.bayeux.messages import CONNECTION_TYPE, Reply

__all__ = ['granted_ack', 'objection']


def objection(reply: Reply, version: str, minimum_version: str) -> str:
    """Why no session is possible with this server, or ''.

    A field that the server omits, or that is no version, is taken for agreement.
    """
    if reply.connection_types and CONNECTION_TYPE not in reply.connection_types:
        return f'the server offers no {CONNECTION_TYPE}, only: {", ".join(reply.connection_types)}'
    ours, least = _version(version), _version(minimum_version)
    theirs, theirs_least = _version(reply.version), _version(reply.minimum_version)
    if least and theirs and theirs < least:
        return f'the server speaks Bayeux {reply.version}; at least {minimum_version} is asked for'
    if ours and theirs_least and ours < theirs_least:
        return f'the server asks for Bayeux {reply.minimum_version}; this is {version}'
    return ''


def granted_ack(reply: Reply) -> int | None:
    """The batch to acknowledge first where the server has the acknowledge extension, else None."""
    granted = (reply.ext or {}).get('ack')
    if isinstance(granted, Mapping):
        batch = granted.get('batch')
        return batch if granted.get('enabled') is True and type(batch) is int else None
    return 0 if granted is True else None


def _version(text: str) -> tuple[int, ...]:
    """'1.0' as (1, 0); () for what is no version."""
    parts = text.split('.')
    # Python reads no number of more than 4,300 digits.
    good = all(part.isdecimal() and len(part) < 10 for part in parts)
    return tuple(int(part) for part in parts) if good else ()
