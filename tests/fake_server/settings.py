"""What a server is like: numbers, options, refusals, and the profiles that bundle them. Pure.

All durations are seconds; milliseconds exist only on the wire. Every field may change while the
server runs (`BrokerSettings.changed`), and holds from the next message on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

__all__ = ['PROFILES', 'SALESFORCE', 'VANILLA', 'BrokerSettings', 'SalesforceSettings']


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Options of the broker; the defaults are the reference server's (CometD Java 6)."""

    profile: ClassVar[str] = 'vanilla'
    'Which server this is.'
    endpoint: ClassVar[str] = '/cometd'
    'Path of the URL that clients are given.'

    timeout: float = 30.0
    'Seconds that a connect is held. A client may ask for another time with each connect.'
    interval: float = 0.0
    'Seconds that clients have to wait between two connects.'
    max_interval: float = 10.0
    'Seconds after `interval` without a connect, until the session expires.'
    send_max_interval: bool = False
    'Whether advice holds `maxInterval` (option `handshakeReconnect` of the reference server).'
    multi_session_interval: float = 2.0
    'Seconds advised to the sessions too many behind one cookie; 0 or less refuses them.'
    max_sessions_per_browser: int = 1
    'How many connects behind one cookie are held at a time; negative is any number.'
    max_lazy_timeout: float = 5.0
    'Seconds that lazy events wait for company.'
    lazy_channels: tuple[str, ...] = ()
    'Channels or patterns whose events are lazy.'
    trust_client_id: bool = False
    'Whether a `clientId` is enough without the cookie (option `trustClientSession`).'
    cookie_name: str = 'BAYEUX_BROWSER'
    'Name of the cookie.'
    meta_connect_deliver_only: bool = False
    'Whether events leave with connect replies only.'
    broadcast_to_publisher: bool = True
    'Whether a publisher that has subscribed gets its own event.'
    ack_extension: bool = True
    'Whether the server offers the acknowledgement extension.'
    replies_first: bool = False
    'Whether replies stand before the events of a response, as with faye.'
    numeric_ids_as_strings: bool = True
    'Whether message ids that came as numbers are echoed as strings.'
    overtaken_status: int = 500
    'HTTP status, without a body, for a connect that a newer one of its session overtakes.'
    notices_gone: bool = True
    """Whether the server sees that the connection of a held connect broke.

    If not, as is common behind proxies, it answers into the void, and what it answers is lost.
    """
    connection_types: tuple[str, ...] = ('long-polling', 'callback-polling')
    'What handshake replies offer.'
    deny_handshake: bool = False
    'Whether handshakes are refused.'
    deny_handshake_reconnect: str = 'none'
    'Advice of a refused handshake: `none`, `retry` or `handshake`.'
    deny_subscribe: Mapping[str, str] = field(default_factory=dict)
    'Channel or pattern -> reason for refusing subscriptions to it.'
    deny_create: Mapping[str, str] = field(default_factory=dict)
    'Channel or pattern -> reason for refusing to make a channel that does not exist yet.'
    deny_publish: Mapping[str, str] = field(default_factory=dict)
    'Channel or pattern -> reason for refusing publications to it.'

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """These settings with some fields replaced.

        Args:
            changes: field name -> value, as JSON has it (a list for a tuple, any number for a duration).
        Returns:
            New settings; these stay as they are.
        Raises:
            ValueError: unknown names or values of the wrong type, all of them named at once.
        """
        problems: list[str] = []
        values: dict[str, Any] = {}
        defaults = type(self)()
        known = {one.name: getattr(defaults, one.name) for one in fields(self)}
        for name, value in changes.items():
            if name not in known:
                problems.append(f'{name}: no such setting')
                continue
            accepted, values[name] = _fit(known[name], value)
            if not accepted:
                problems.append(f'{name}: {value!r} is not {_KINDS[type(known[name])]}')
        if problems:
            raise ValueError('; '.join(problems))
        return replace(self, **values)


_MAY_BE_BUSY = ('/meta/handshake', '/meta/connect', '/meta/subscribe')


@dataclass(frozen=True, slots=True)
class SalesforceSettings(BrokerSettings):
    """Options of Salesforce: Streaming API, logins, REST. `deny_subscribe` maps to whole error texts here."""

    profile: ClassVar[str] = 'salesforce'
    endpoint: ClassVar[str] = '/cometd/67.0'

    timeout: float = 110.0
    max_interval: float = 40.0
    ack_extension: bool = False
    numeric_ids_as_strings: bool = False
    connection_types: tuple[str, ...] = ('long-polling',)
    routing_cookie_ttl: float = 10_800.0
    'Seconds that the routing cookie `sfdc-stream` lives; users see it expire every 2 to 3 hours.'
    request_limit: int = 32_768
    'Bytes of a request body, beyond which it is answered 413.'
    retention_topics: float = 86_400.0
    'Seconds that events of PushTopics and generic channels can be replayed.'
    retention_events: float = 259_200.0
    'Seconds that platform events and change events can be replayed.'
    client_limit: int = 2000
    'Sessions that the org may have at a time, abandoned ones until they expire; negative is any number.'
    daily_event_limit: int = 1_000_000
    'Events that all clients together are given in 24 hours, replayed ones too; negative is any number.'
    too_many_connections: bool = False
    'Whether handshakes are denied to protect all customers from excessive use.'
    busy: tuple[str, ...] = ()
    'Those of `/meta/handshake`, `/meta/connect` and `/meta/subscribe` that find the server too busy.'
    unknown_client_disconnects: bool = False
    """Whether a connect of an unknown client is answered with a bare `/meta/disconnect` and the advice none.

    If not, with the advice to shake hands. Both have been recorded.
    """
    events_name_client: bool = False
    'Whether events carry the `clientId`, as in older documentation.'
    events_name_filter: bool = False
    'Whether events of a filtered subscription come on the channel with the filter; nobody has recorded it.'

    # Logins and REST.
    token_lifetime: float = 7200.0
    'Seconds that an access token lives, whether it is used or not.'
    soap_login: bool = True
    'Whether SOAP login() is enabled; new orgs have it off.'
    password_flow: bool = True
    'Whether the OAuth password flow is allowed; new orgs block it.'
    client_credentials_flow: bool = True
    'Whether apps may use the client credentials flow.'
    trusted_network: bool = False
    'Whether clients come from a trusted address, and need no security token.'
    lockout_attempts: int = 10
    'Wrong passwords in a row that lock a user; 0 never locks.'
    lockout_duration: float = 900.0
    'Seconds that a user stays locked.'
    logins_per_hour: int = 3600
    'Logins of one user in one hour, good or bad, beyond which they are refused.'
    oldest_api_version: str = '31.0'
    'REST versions before it are retired: 410.'
    newest_api_version: str = '68.0'
    'REST versions after it do not exist yet: 404.'
    query_page_size: int = 2000
    'Records in one answer to a query.'
    daily_api_requests: int = 100_000
    'REST requests in 24 hours, beyond which they are refused.'
    rest_unavailable: bool = False
    'Whether REST answers 503 to everything.'

    def __post_init__(self) -> None:
        if not set(self.busy) <= set(_MAY_BE_BUSY):
            raise ValueError(f'busy is made of {", ".join(_MAY_BE_BUSY)}')
        versions = (self.oldest_api_version, self.newest_api_version)
        if not all(re.fullmatch(r'[0-9]{1,3}\.0', text) for text in versions):
            raise ValueError('versions of the API are texts such as 67.0')
        if self.query_page_size < 1:
            raise ValueError('query_page_size is at least 1')


VANILLA = BrokerSettings()
'An unmodified CometD server.'

SALESFORCE = SalesforceSettings()
'Streaming API, from API version 37.0 on.'

PROFILES: Mapping[str, BrokerSettings] = {one.profile: one for one in (VANILLA, SALESFORCE)}

_KINDS = {
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number of seconds',
    str: 'a text',
    tuple: 'a list of texts',
    dict: 'an object of texts',
}


def _fit(default: object, value: Any) -> tuple[bool, Any]:
    """Whether a JSON value fits the field with this default, and the value as the field holds it."""
    match default:
        case bool() | str():
            return type(value) is type(default), value
        case int():
            return type(value) is int, value
        case float():
            good = type(value) in (int, float) and abs(value) < 1e9
            return good, float(value) if good else value
        case tuple():
            good = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
            return good, tuple(value) if good else value
        case _:
            return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()), value
