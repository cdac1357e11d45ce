"""Error texts of the reference server (CometD Java), as clients see them. Pure.

Format: `code:args:message` (Bayeux 1.0, "error message field").
"""

__all__ = [
    'CHANNEL_INVALID',
    'CHANNEL_MISSING',
    'HANDSHAKE_DENIED',
    'MESSAGE_ID_INVALID',
    'SESSION_UNKNOWN',
    'SUBSCRIPTION_INVALID',
    'SUBSCRIPTION_MISSING',
    'channel_create_denied',
    'create_denied',
    'publish_denied',
    'subscribe_denied',
]

CHANNEL_MISSING = '400::channel_missing'
SESSION_UNKNOWN = '402::session_unknown'
HANDSHAKE_DENIED = '403::handshake_denied'
SUBSCRIPTION_MISSING = '403::subscription_missing'
SUBSCRIPTION_INVALID = '403::subscription_invalid'
CHANNEL_INVALID = '405::channel_invalid'
MESSAGE_ID_INVALID = '405::message_id_invalid'

# What its default security policy says; other policies put their own words there.
DENIED_BY_POLICY = 'denied_by_security_policy'


def subscribe_denied(reason: str) -> str:
    """A subscription that the policy refuses."""
    return f'403:{reason}:subscribe_denied'


def create_denied(reason: str) -> str:
    """A subscription to a channel that does not exist and must not be made."""
    return f'403:{reason}:create_denied'


def publish_denied(reason: str) -> str:
    """A publication that the policy refuses."""
    return f'403:{reason}:publish_denied'


def channel_create_denied(reason: str) -> str:
    """A publication to a channel that does not exist and must not be made."""
    return f'403:{reason}:channel_create_denied'
