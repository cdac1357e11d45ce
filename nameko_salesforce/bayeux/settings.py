"""The `BAYEUX` section of a Nameko configuration. Floor 3: reads a dict, does no I/O.

All problems are reported at once, each with its key and never with its value, which may be a secret.
Durations in seconds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.bayeux.section import (
    CLIENT_KEYS,
    Key,
    client_options,
    flag,
    read_section,
    version,
    whole,
    without_option,
)
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


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r'[\t\x20-\x7e\x80-\xff]*')
# The transport writes these itself.
_RESERVED = frozenset(
    ['accept-encoding', 'connection', 'content-length', 'content-type', 'cookie', 'host', 'transfer-encoding']
)


def _url(value: Any) -> str:
    try:
        return Route(value).url
    except LocalError as problem:
        raise ValueError(f'a URL such as http://127.0.0.1:8080/cometd ({without_option(problem)})') from None


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


KEYS: Mapping[str, Key] = {
    'SERVER_URI': Key('own', 'server_uri', _url),
    'HEADERS': Key('own', 'headers', _headers),
    'MAILBOX_LIMIT': Key('own', 'mailbox_limit', whole),
    'VERSION': Key('session', 'version', version),
    'MINIMUM_VERSION': Key('session', 'minimum_version', version),
    'ACK': Key('session', 'ack', flag),
    **CLIENT_KEYS,
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
    parts, problems = read_section(section, KEYS)
    if 'SERVER_URI' not in section:
        problems.insert(0, 'SERVER_URI is missing')
    session, transport = client_options(parts, problems)
    if problems:
        raise ConfigurationError(f'Section {SECTION} of the configuration: ' + '; '.join(problems))
    return BayeuxSettings(session=session, transport=transport, **parts['own'])
