"""The `BAYEUX` section of a Nameko configuration. Floor 3: reads a dict, does no I/O.

All problems are reported at once, each with its key. Durations in seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.session import SessionOptions
from nameko_salesforce.bayeux.transport import TransportOptions

__all__ = ['SECTION', 'BayeuxSettings', 'read_settings']

SECTION = 'BAYEUX'


@dataclass(frozen=True, slots=True)
class BayeuxSettings:
    """What the section says.

    Attributes:
        server_uri: of the CometD server.
        headers: added to every request; may hold credentials, so they appear in no repr.
    """

    server_uri: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    session: SessionOptions = SessionOptions()
    transport: TransportOptions = field(default=TransportOptions(), repr=False)


@dataclass(frozen=True, slots=True)
class _Key:
    """One key: where its value goes, and how it is read (raises `ValueError` with what is expected)."""

    part: str
    name: str
    read: Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('a text')
    return value


def _version(value: Any) -> str:
    # YAML makes a float of an unquoted 1.0; on the wire it has to be text.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError('a version such as "1.0"')
    return str(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float('inf'):
        raise ValueError('a number of seconds above 0')
    return float(value)


def _bytes(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError('a number of bytes above 0')
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError('true or false')
    return value


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(each, str) for pair in value.items() for each in pair
    ):
        raise ValueError('a mapping of header names to texts')
    return dict(value)


def _certificate(value: Any) -> str | tuple[str, str]:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return (value[0], value[1])
    raise ValueError('a file name, or a list of two: certificate and key')


KEYS: Mapping[str, _Key] = {
    'SERVER_URI': _Key('own', 'server_uri', _text),
    'HEADERS': _Key('own', 'headers', _headers),
    'VERSION': _Key('session', 'version', _version),
    'MINIMUM_VERSION': _Key('session', 'minimum_version', _version),
    'ACK': _Key('session', 'ack', _flag),
    'NETWORK_ALLOWANCE': _Key('both', 'network_allowance', _seconds),
    'HANDSHAKE_DISTANCE': _Key('session', 'handshake_distance', _seconds),
    'DISCONNECT_TIMEOUT': _Key('session', 'disconnect_timeout', _seconds),
    'CONNECT_TIMEOUT': _Key('transport', 'connect_timeout', _seconds),
    'CA_BUNDLE': _Key('transport', 'ca_bundle', _text),
    'CLIENT_CERTIFICATE': _Key('transport', 'client_certificate', _certificate),
    'PROXY': _Key('transport', 'proxy', _text),
    'MESSAGE_LIMIT': _Key('transport', 'message_limit', _bytes),
    'REQUEST_LIMIT': _Key('transport', 'request_limit', _bytes),
}


def read_settings(config: Mapping[str, Any]) -> BayeuxSettings:
    """Read the section.

    Raises:
        nameko.exceptions.ConfigurationError: names every key that is missing, unknown or wrong.
    """
    section = config.get(SECTION)
    if not isinstance(section, Mapping):
        raise ConfigurationError(
            f'The configuration has no section {SECTION}. It needs at least:\n'
            f'{SECTION}:\n  SERVER_URI: http://127.0.0.1:8080/cometd'
        )
    problems: list[str] = []
    parts: dict[str, dict[str, Any]] = {'own': {}, 'session': {}, 'transport': {}}
    for key, value in section.items():
        known = KEYS.get(key)
        if known is None:
            close = get_close_matches(str(key), KEYS, n=1)
            problems.append(f'{key} is not known' + (f'; did you mean {close[0]}?' if close else ''))
            continue
        try:
            read = known.read(value)
        except ValueError as expected:
            problems.append(f'{key} has to be {expected}, not a {type(value).__name__}')
            continue
        for part in ('session', 'transport') if known.part == 'both' else (known.part,):
            parts[part][known.name] = read
    if 'SERVER_URI' not in section:
        problems.append('SERVER_URI is missing')
    if problems:
        raise ConfigurationError(f'{SECTION}: ' + '; '.join(problems))
    return BayeuxSettings(
        session=SessionOptions(**parts['session']),
        transport=TransportOptions(**parts['transport']),
        **parts['own'],
    )
