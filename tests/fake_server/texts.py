"""Error texts of Salesforce's Streaming API, as clients see them. Pure.

Source: "Streaming API Error Codes"; where live servers have been recorded with other words, theirs.
"""

__all__ = [
    'AUTH_INVALID',
    'AUTH_MISSING',
    'BUSY',
    'CLIENT_LIMIT',
    'DAILY_LIMIT',
    'HANDSHAKE_DENIED',
    'NOT_HANDSHAKEN',
    'OTHER_USER',
    'PUBLISH_DENIED',
    'RESTRICTED_CHANNEL',
    'SLASH_MISSING',
    'SUBSCRIPTION_MISSING',
    'TOO_LARGE',
    'TOO_MANY_CONNECTIONS',
    'UNKNOWN_CLIENT',
    'VERSION_MISSING',
    'VERSION_UNSUPPORTED',
    'cookie_missing',
    'invalid_connection_type',
    'invalid_replay_id',
    'no_such_channel',
    'not_in_replay_map',
]

VERSION_MISSING = "400::API version in the URI is mandatory. URI format: '/cometd/66.0'"
VERSION_UNSUPPORTED = (
    "400::Unsupported API version. Only API versions '37.0' and later are supported."
    " URI format: '/cometd/66.0'"
)
SUBSCRIPTION_MISSING = '400::Channel name not specified'
SLASH_MISSING = "400::Channel subscriptions must start with a leading '/'"
OTHER_USER = "400::Authenticated user id does not match the session's user id"
AUTH_INVALID = '401::Authentication invalid'
AUTH_MISSING = '401::Request requires authentication'
HANDSHAKE_DENIED = '403::Handshake denied'
NOT_HANDSHAKEN = '403::Client has not completed handshake'
UNKNOWN_CLIENT = '403::Unknown client'
RESTRICTED_CHANNEL = '403::Restricted channel'
CLIENT_LIMIT = '403::Organization concurrent user limit exceeded'
DAILY_LIMIT = '403::Organization total events daily limit exceeded'
TOO_MANY_CONNECTIONS = (
    '403::To protect all customers from excessive use and Denial of Service attacks, we limit the number of'
    ' simultaneous connections per server. Your request has been denied because this limit has been exceeded.'
    ' Please try your request again later.'
)
# The server is a CometD underneath; where Salesforce documents no words, it has been seen to use these.
PUBLISH_DENIED = '403:denied_by_security_policy:publish_denied'
TOO_LARGE = 'Maximum Request Size Exceeded'
BUSY = '503::Server is too busy.  Please try your request again later.'


def cookie_missing(client_id: object, cookie: str) -> str:
    """A session's message without the session's cookie."""
    return f'400::Client {client_id} has established a session, but no {cookie} cookie present'


def invalid_connection_type(name: object) -> str:
    """A connect over something else than long polling."""
    return f'400::Invalid connection type {name}'


def invalid_replay_id(position: object) -> str:
    """A position that no event has, or had."""
    return (
        f'400::The replayId {{{position}}} you provided was invalid.  Please provide a valid ID,'
        ' -2 to replay all events, or -1 to replay only new events.'
    )


def no_such_channel(channel: str) -> str:
    """A channel that the org does not have."""
    return f'400::The channel you requested to subscribe to does not exist {{{channel}}}'


def not_in_replay_map(channel: str) -> str:
    """A replay map without the channel. It has never been seen to show what is in the map."""
    return (
        f"400::The replayId for channel {{{channel}}} wasn't found using the provided replay ID map {{{{}}}}."
        ' Ensure that the channel name you provided in the replay map is valid and matches the channel name'
        ' used for subscribing.'
    )
