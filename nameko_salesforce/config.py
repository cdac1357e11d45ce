"""The `SALESFORCE` section of a Nameko configuration. Floor 3: reads a dict, and a key file to check it.

All problems are reported at once, each with its key and never with its value. Durations in seconds.

**Where requests go.** `LOGIN_URL` stands for Salesforce as a whole, a proxy or a fake: with it login,
REST and CometD go to that address, and the instance that replies name is not used, on whatever host
it is; a proxy passes replies on as they are, and a fake behind a mapped port does not know its own address.
A DOMAIN or INSTANCE_URL beside it may stay, and sends nothing anywhere.
Without it logins go to `DOMAIN`, else to test or login.salesforce.com by `SANDBOX`, and everything else
to the instance that the login names.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nameko.exceptions import ConfigurationError

from nameko_salesforce.assertion import private_key
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.options import SessionOptions, is_count
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.bayeux.section import (
    CLIENT_KEYS,
    Key,
    client_options,
    file_name,
    flag,
    line,
    read_section,
    seconds,
    text,
    version,
    whole,
    without_option,
)
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.constants import CONFIG_KEY, DEFAULT_API_VERSION
from nameko_salesforce.credentials import (
    ClientCredentials,
    Credentials,
    JwtBearer,
    OwnToken,
    PasswordLogin,
    ProvidedToken,
    SoapLogin,
)
from nameko_salesforce.flows import Flow, NoFlow, choose_flow
from nameko_salesforce.replay.settings import REPLAY_KEYS, ReplaySettings, replay_settings

__all__ = ['KEYS', 'ReplaySettings', 'SalesforceSettings', 'read_settings']

# Seconds; Salesforce forgets a client that has not polled for 40.
LONGEST_BRAKE = 30.0

# Connections. Salesforce lets 25 requests of an org take longer than 20 s.
LARGEST_POOL = 1000

# The Streaming API is served from 37.0 on; 37.0 to 40.0 are announced to end with Summer '28.
OLDEST_API_VERSION = 37
LASTING_API_VERSION = 41


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesforceSettings:
    """What the section says.

    Attributes:
        credentials: of the flow that the keys mean.
        login_url: 'https://host' or 'http://host:port' that logins go to.
        instance_url: where everything goes, whatever replies say (LOGIN_URL); None: as replies say.
        sandbox: SANDBOX, or a DOMAIN that is one's.
        api_version: 'NN.0', of REST, CometD and PushTopics.
        fail_fast: end the service instead of waiting where only a person can help.
        logins_per_hour: that Salesforce answers, yes or no. 30: in ordinary life a service logs in every
            two hours, and Salesforce allows 3,600 an hour and user.
        request_timeout: seconds for a login or a REST request from first to last byte. Salesforce
            ends a query after 120.
        pool_size: REST connections that are kept; as many as Nameko has workers by default.
        mailbox_limit: events that may wait for handlers before the next poll waits too; at twice as many
            nothing more is read.
        event_workers: handlers of events that may run at a time; None: all workers of the service but one.
        replay: see `ReplaySettings`.
        session, transport: of the streaming client; login and REST use the proxy, the certificates and
            the connect timeout of the latter as well.
    """

    credentials: Credentials
    login_url: str = 'https://login.salesforce.com'
    instance_url: str | None = None
    sandbox: bool = False
    api_version: str = DEFAULT_API_VERSION
    fail_fast: bool = False
    logins_per_hour: int = 30
    request_timeout: float = 60.0
    pool_size: int = 10
    mailbox_limit: int = 1000
    event_workers: int | None = None
    replay: ReplaySettings = ReplaySettings()
    session: SessionOptions = SessionOptions(longest_brake=LONGEST_BRAKE)
    transport: TransportOptions = field(default=TransportOptions(), repr=False)


# --- what values have to be --------------------------------------------------------------------------

_API_VERSION = re.compile(r'v?([0-9]{1,3})(?:\.0)?')
_HOST = re.compile(r'[a-z0-9-]+(\.[a-z0-9-]+)+')
_DOTTED = re.compile(r'[^\W\d]\w*(\.[^\W\d]\w*)*[.:][^\W\d]\w*')
_LOGIN = 'login.salesforce.com'
_TEST = 'test.salesforce.com'
_SALESFORCE = ('.salesforce.com', '.salesforce.mil')
# Where all orgs of a kind log in.
_ALL_LIVE = tuple(f'login{each}' for each in _SALESFORCE)
_ALL_TEST = tuple(f'test{each}' for each in _SALESFORCE)


def _security_token(value: Any) -> str:
    # Where the network is trusted users have none; '' says so.
    return '' if value == '' else line(value)


def _api_version(value: Any) -> str:
    spelled = str(value) if isinstance(value, str | float) or is_count(value) else ''
    found = _API_VERSION.fullmatch(spelled)
    if found is None:
        raise ValueError(f'a version such as "{DEFAULT_API_VERSION}"')
    if int(found[1]) < OLDEST_API_VERSION:
        raise ValueError(f'at least {OLDEST_API_VERSION}.0: Salesforce streams no earlier version')
    return f'{int(found[1])}.0'


def _origin(value: Any) -> str:
    try:
        Route(value)
    except LocalError as problem:
        raise ValueError(
            f'a URL such as https://acme.my.salesforce.com ({without_option(problem)})'
        ) from None
    parts = urlsplit(value)
    if parts.path not in ('', '/') or parts.query:
        raise ValueError('a URL without a path')
    return f'{parts.scheme}://{parts.netloc}'


def _login_url(value: Any) -> str:
    origin = _origin(value)
    if (urlsplit(origin).hostname or '').rstrip('.') in _ALL_LIVE + _ALL_TEST:
        raise ValueError(
            'the address of a proxy or a fake, since REST and CometD go there as well; '
            'for Salesforce leave it out: SANDBOX or DOMAIN decides'
        )
    return origin


def _domain(value: Any) -> str:
    """The host name of a My Domain."""
    host = line(value).strip().lower().removeprefix('https://').removesuffix('/')
    if host.endswith('.force.com'):
        raise ValueError('a My Domain such as acme.my.salesforce.com (not the address of Lightning)')
    if host in ('login', 'test') or host.endswith('.my'):
        host += _SALESFORCE[0]
    known = host.endswith(_SALESFORCE) and _HOST.fullmatch(host)
    if not known or host.count('.') < 3 and not host.startswith(('login.', 'test.')):
        raise ValueError('a My Domain such as acme.my or acme.my.salesforce.com')
    return host


def _pem(value: Any) -> str:
    private_key(text(value))
    return str(value)


def _pem_file(value: Any) -> str:
    name = file_name(value)
    try:
        private_key(Path(name).read_text(encoding='ascii', errors='replace'))
    except OSError as error:
        raise ValueError(f'the name of a file that can be read ({error.strerror})') from None
    except ValueError as expected:
        raise ValueError(f'the name of a file that holds {expected}') from None
    return name


def _provider(value: Any) -> ProvidedToken:
    path = text(value)
    if not _DOTTED.fullmatch(path):
        raise ValueError('a dotted name such as package.module.function')
    module, _, name = path.replace(':', '.').rpartition('.')
    try:
        provide: Callable[[], tuple[str, str]] | None = getattr(importlib.import_module(module), name, None)
    except Exception as error:
        said = f': {error}' if isinstance(error, ImportError) else ''
        raise ValueError(f'a name that can be imported ({type(error).__name__}{said})') from None
    if not callable(provide):
        raise ValueError(f'the name of a function, which {module} has not')
    return ProvidedToken(path, provide)


def _pool_size(value: Any) -> int:
    if whole(value) > LARGEST_POOL:
        # urllib3 makes room for all of them at once.
        raise ValueError(f'a whole number above 0, {LARGEST_POOL} at most')
    return int(value)


KEYS: Mapping[str, Key] = {
    # How to log in.
    'USERNAME': Key('flow', 'username', line),
    'PASSWORD': Key('flow', 'password', line),
    'SECURITY_TOKEN': Key('flow', 'security_token', _security_token),
    'CONSUMER_KEY': Key('flow', 'consumer_key', line),
    'CONSUMER_SECRET': Key('flow', 'consumer_secret', line),
    'PRIVATE_KEY': Key('flow', 'private_key', _pem),
    'PRIVATE_KEY_FILE': Key('flow', 'private_key_file', _pem_file),
    'ACCESS_TOKEN': Key('flow', 'access_token', line),
    'TOKEN_PROVIDER': Key('flow', 'provided', _provider),
    # Where.
    'INSTANCE_URL': Key('where', 'instance', _origin),
    'DOMAIN': Key('where', 'domain', _domain),
    'SANDBOX': Key('where', 'sandbox', flag),
    'LOGIN_URL': Key('where', 'login_url', _login_url),
    # How the account is used.
    'API_VERSION': Key('own', 'api_version', _api_version),
    'FAIL_FAST': Key('own', 'fail_fast', flag),
    'LOGINS_PER_HOUR': Key('own', 'logins_per_hour', whole),
    'REQUEST_TIMEOUT': Key('own', 'request_timeout', seconds),
    'POOL_SIZE': Key('own', 'pool_size', _pool_size),
    'MAILBOX_LIMIT': Key('own', 'mailbox_limit', whole),
    'EVENT_WORKERS': Key('own', 'event_workers', whole),
    **REPLAY_KEYS,
    'BAYEUX_VERSION': Key('session', 'version', version),
    'BAYEUX_MINIMUM_VERSION': Key('session', 'minimum_version', version),
    **CLIENT_KEYS,
}


def read_settings(config: Mapping[str, Any]) -> SalesforceSettings:
    """Read the section.

    Raises:
        nameko.exceptions.ConfigurationError: names every key that is missing, unknown, wrong, or one
            too many, and the way out.
    """
    section = config.get(CONFIG_KEY)
    if not isinstance(section, Mapping):
        what = 'has no section' if section is None else 'has no keys in its section'
        raise ConfigurationError(
            f'The configuration {what} {CONFIG_KEY}. For a login by client credentials it needs:\n'
            f'{CONFIG_KEY}:\n  DOMAIN: acme.my\n  CONSUMER_KEY: ${{SALESFORCE_CONSUMER_KEY}}\n'
            '  CONSUMER_SECRET: ${SALESFORCE_CONSUMER_SECRET}'
        )
    parts, problems = read_section(section, KEYS)
    flow = None
    try:
        flow = choose_flow(section)
    except NoFlow as no_flow:
        problems.append(str(no_flow))
    where = parts['where']
    domain = where.get('domain')
    test = domain in _ALL_TEST
    if flow is Flow.CLIENT_CREDENTIALS and (test or domain in _ALL_LIVE):
        problems.append(
            'DOMAIN has to be the My Domain of the org: login and test know no client credentials'
        )
    if (test or domain in _ALL_LIVE) and where.get('sandbox', test) != test:
        problems.append('SANDBOX and DOMAIN contradict each other: leave one of them out')
    replay = replay_settings(section, parts, problems)
    session, transport = client_options(parts, problems)
    if flow is None or problems:
        raise ConfigurationError(f'Section {CONFIG_KEY} of the configuration: ' + '; '.join(problems))
    fixed = where.get('login_url')
    sandbox = where.get('sandbox', False) or test or '.sandbox.' in (domain or '')
    return SalesforceSettings(
        credentials=_credentials(flow, parts['flow'], fixed or where.get('instance')),
        login_url=fixed or f'https://{domain or (_TEST if sandbox else _LOGIN)}',
        instance_url=fixed,
        sandbox=sandbox,
        replay=replay,
        session=replace(session, longest_brake=LONGEST_BRAKE),
        transport=transport,
        **parts['own'],
    )


def _credentials(flow: Flow, values: Mapping[str, Any], instance_url: str | None) -> Credentials:
    match flow:
        case Flow.SOAP:
            return SoapLogin(**values)
        case Flow.PASSWORD:
            return PasswordLogin(**values)
        case Flow.CLIENT_CREDENTIALS:
            return ClientCredentials(**values)
        case Flow.JWT_BEARER:
            return JwtBearer(**values)
        case Flow.OWN_TOKEN:
            return OwnToken(values['access_token'], instance_url or '')
        case Flow.TOKEN_PROVIDER:
            provided: ProvidedToken = values['provided']
            return provided
