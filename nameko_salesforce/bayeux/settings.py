"""The `BAYEUX` section of a Nameko configuration. Floor 3: reads a dict, does no I/O.

All problems are reported at once, each with its key and never with its value, which may be a secret.
Durations in seconds.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.bayeux.session import SessionOptions
from nameko_salesforce.bayeux.transport import TransportOptions

__all__ = ['KEYS', 'SECTION', 'BayeuxSettings', 'read_settings']

SECTION = 'BAYEUX'


@dataclass(frozen=True, slots=True)
class BayeuxSettings:
    """What the section says.

    Attributes:
        server_uri: of the CometD server.
        headers: added to every request; may hold credentials, so they appear in no repr.
        mailbox_limit: events that may wait for a worker before the reading of responses is slowed.
    """

    server_uri: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    mailbox_limit: int = 1000
    session: SessionOptions = SessionOptions()
    transport: TransportOptions = field(default=TransportOptions(), repr=False)


@dataclass(frozen=True, slots=True)
class _Key:
    """One key: where its value goes, and how it is read (raises `ValueError` with what it has to be)."""

    part: str
    name: str
    read: Callable[[Any], Any]


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r'[\t\x20-\x7e\x80-\xff]*')
# The transport writes these itself.
_RESERVED = frozenset(
    ['accept-encoding', 'connection', 'content-length', 'content-type', 'cookie', 'host', 'transfer-encoding']
)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('a text')
    return value


def _url(value: Any) -> str:
    try:
        return Route(value).url
    except LocalError as problem:
        raise ValueError(f'a URL such as http://127.0.0.1:8080/cometd ({_bare(problem)})') from None


def _proxy(value: Any) -> str:
    try:
        Route('http://localhost', proxy=_text(value))
    except LocalError as problem:
        raise ValueError(f'a URL such as http://user:password@proxy:3128 ({_bare(problem)})') from None
    return str(value)


def _bare(problem: LocalError) -> str:
    return str(problem).partition(': ')[2]


def _version(value: Any) -> str:
    # YAML makes a float of an unquoted 1.0; on the wire it has to be text.
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == '':
        raise ValueError('a version such as "1.0"')
    return str(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float('inf'):
        raise ValueError('a number of seconds above 0')
    return float(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError('a whole number above 0')
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError('true or false')
    return value


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise ValueError('a mapping of header names to texts')
    for name, text in value.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED:
            raise ValueError(f'a mapping without the header {name!r}, which cannot be set')
        if not isinstance(text, str):
            # From an environment variable of digits, as a rule.
            raise ValueError(f'a mapping to texts: quote that of {name}, or write !raw_env_var')
        if not _HEADER_VALUE.fullmatch(text):
            raise ValueError(f'a mapping to texts in one line and in Latin-1, which that of {name} is not')
    return dict(value)


def _certificate(value: Any) -> str | tuple[str, str]:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return (value[0], value[1])
    raise ValueError('a file name, or a list of two: certificate and key')


KEYS: Mapping[str, _Key] = {
    'SERVER_URI': _Key('own', 'server_uri', _url),
    'HEADERS': _Key('own', 'headers', _headers),
    'MAILBOX_LIMIT': _Key('own', 'mailbox_limit', _whole),
    'VERSION': _Key('session', 'version', _version),
    'MINIMUM_VERSION': _Key('session', 'minimum_version', _version),
    'ACK': _Key('session', 'ack', _flag),
    'NETWORK_ALLOWANCE': _Key('both', 'network_allowance', _seconds),
    'HANDSHAKE_DISTANCE': _Key('session', 'handshake_distance', _seconds),
    'DISCONNECT_TIMEOUT': _Key('session', 'disconnect_timeout', _seconds),
    'BACKOFF_FIRST': _Key('backoff', 'first', _seconds),
    'BACKOFF_CAP': _Key('backoff', 'cap', _seconds),
    'CONNECT_TIMEOUT': _Key('transport', 'connect_timeout', _seconds),
    'CA_BUNDLE': _Key('transport', 'ca_bundle', _text),
    'CLIENT_CERTIFICATE': _Key('transport', 'client_certificate', _certificate),
    'PROXY': _Key('transport', 'proxy', _proxy),
    'MESSAGE_LIMIT': _Key('transport', 'message_limit', _whole),
    'REQUEST_LIMIT': _Key('transport', 'request_limit', _whole),
}


def read_settings(config: Mapping[str, Any]) -> BayeuxSettings:
    """Read the section.

    Raises:
        nameko.exceptions.ConfigurationError: names every key that is missing, unknown or wrong.
    """
    section = config.get(SECTION)
    if not isinstance(section, Mapping):
        what = 'has no section' if section is None else 'has no keys in its section'
        raise ConfigurationError(
            f'The configuration {what} {SECTION}. It needs at least:\n'
            f'{SECTION}:\n  SERVER_URI: http://127.0.0.1:8080/cometd'
        )
    problems: list[str] = []
    parts: dict[str, dict[str, Any]] = {'own': {}, 'session': {}, 'transport': {}, 'backoff': {}}
    if 'SERVER_URI' not in section:
        problems.append('SERVER_URI is missing')
    for key, value in section.items():
        known = KEYS.get(key)
        if known is None:
            close = get_close_matches(str(key).upper(), KEYS, n=1)
            problems.append(f'{key} is not known' + (f' (did you mean {close[0]}?)' if close else ''))
            continue
        try:
            read = known.read(value)
        except ValueError as expected:
            # What YAML makes of "KEY:" and of an environment variable that is not set.
            empty = 'is empty, it ' if value is None else ''
            problems.append(f'{key} {empty}has to be {expected}')
            continue
        for part in ('session', 'transport') if known.part == 'both' else (known.part,):
            parts[part][known.name] = read
    try:
        backoff = Backoff(**parts['backoff'])
    except ValueError:
        problems.append(f'BACKOFF_CAP has to be at least BACKOFF_FIRST ({Backoff().first:g} by default)')
    if problems:
        raise ConfigurationError(f'Section {SECTION} of the configuration: ' + '; '.join(problems))
    return BayeuxSettings(
        session=SessionOptions(backoff=backoff, **parts['session']),
        transport=TransportOptions(**parts['transport']),
        **parts['own'],
    )
