"""One section of a Nameko configuration, read by a table of keys. Floor 3: reads a dict, does no I/O.

All problems are collected, each with its key and never with its value, which may be a secret.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.options import (
    LARGEST_COUNT,
    LONGEST_WAIT,
    SessionOptions,
    is_count,
    is_file_name,
    is_wait,
)
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.bayeux.texts import shown
from nameko_salesforce.bayeux.transport import TransportOptions

try:
    from nameko import config as nameko_config  # Nameko 3
except ImportError:
    nameko_config = None  # Nameko 2: the container has it

__all__ = [
    'CLIENT_KEYS',
    'Key',
    'certificate',
    'client_options',
    'configuration_of',
    'file_name',
    'flag',
    'line',
    'proxy',
    'read_section',
    'seconds',
    'text',
    'version',
    'whole',
    'without_option',
]

# Source: Bayeux 1.0, "version": an integer, and letters and digits behind dots.
_VERSION = re.compile(r'[0-9]{1,9}(\.[A-Za-z0-9_-]{1,20}){0,5}')
_CONTROL = re.compile(r'[\x00-\x1f\x7f]')


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where its value goes, and how it is read.

    Attributes:
        part: of the result of `read_section`.
        name: within that part.
        read: gives the value as it is used; raises `ValueError` with what it has to be.
    """

    part: str
    name: str
    read: Callable[[Any], Any]


def configuration_of(container: Any) -> Mapping[str, Any]:
    """The configuration of a service: Nameko 3 has one for the process, Nameko 2 one per container."""
    config: Mapping[str, Any] = container.config if nameko_config is None else nameko_config
    return config


def read_section(
    section: Mapping[str, Any], keys: Mapping[str, Key]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Read all keys of a section.

    Returns:
        `{part: {name: value}}` with every part of the table and the good keys, and the problems in
        the order of the section.
    """
    parts: dict[str, dict[str, Any]] = {key.part: {} for key in keys.values()}
    problems: list[str] = []
    for key, value in section.items():
        known = keys.get(key)
        if known is None:
            said = key if isinstance(key, str) and len(key) <= 100 else shown(key)
            close = get_close_matches(said.upper(), keys, n=1)
            problems.append(f'{said} is not known' + (f' (did you mean {close[0]}?)' if close else ''))
            continue
        try:
            parts[known.part][known.name] = known.read(value)
        except ValueError as expected:
            # What YAML makes of "KEY:" and of an environment variable that is not set.
            empty = 'is empty, it ' if value is None else ''
            problems.append(f'{key} {empty}has to be {expected}')
    return parts, problems


def client_options(
    parts: Mapping[str, Mapping[str, Any]], problems: list[str]
) -> tuple[SessionOptions, TransportOptions]:
    """What `CLIENT_KEYS` have given, as the client takes it; adds a problem where two of them clash."""
    backoff = Backoff()
    try:
        backoff = Backoff(**parts['backoff'])
    except ValueError:
        problems.append(f'BACKOFF_CAP has to be at least BACKOFF_FIRST ({backoff.first:g} by default)')
    # The one key that both have to know.
    shared = {name: value for name, value in parts['session'].items() if name == 'network_allowance'}
    return (
        SessionOptions(backoff=backoff, **parts['session']),
        TransportOptions(**parts['transport'], **shared),
    )


# --- what values have to be --------------------------------------------------------------------------


def text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError('a text')
    return value


def line(value: Any) -> str:
    if isinstance(value, int | float):
        # YAML takes digits for a number, and environment variables are put in before it reads them.
        raise ValueError('a text: quote it, or write !raw_env_var')
    if _CONTROL.search(text(value)):
        raise ValueError('a text in one line (a file that it comes from may end with a line end)')
    try:
        value.encode()
    except UnicodeEncodeError:
        # An environment variable whose bytes are not UTF-8.
        raise ValueError('a text in UTF-8') from None
    return str(value)


def proxy(value: Any) -> str:
    try:
        Route('http://localhost', proxy=text(value))
    except LocalError as problem:
        said = without_option(problem)
        raise ValueError(f'a URL such as http://user:password@proxy:3128 ({said})') from None
    return str(value)


def without_option(problem: LocalError) -> str:
    """What `Route` complains of, without its own name for the option."""
    return str(problem).partition(': ')[2]


def version(value: Any) -> str:
    # YAML makes a float of an unquoted 1.0; on the wire it has to be text.
    spelled = str(value) if isinstance(value, str | float) or is_count(value) else ''
    if not _VERSION.fullmatch(spelled):
        raise ValueError('a version such as "1.0"')
    return spelled


def seconds(value: Any) -> float:
    if not is_wait(value) or value == 0:
        long = isinstance(value, int | float) and value > LONGEST_WAIT
        most = f', a week ({LONGEST_WAIT:.0f}) at most' if long else ''
        raise ValueError(f'a number of seconds above 0{most}')
    return float(value)


def whole(value: Any) -> int:
    if not is_count(value):
        large = isinstance(value, int) and value > LARGEST_COUNT
        raise ValueError(f'a whole number above 0{f", {LARGEST_COUNT} at most" if large else ""}')
    return int(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError('true or false')
    return value


def file_name(value: Any) -> str:
    name = text(value)
    if not is_file_name(name):
        raise ValueError('a file name, which holds no NUL and no lone surrogates')
    return name


def certificate(value: Any) -> str | tuple[str, str]:
    if isinstance(value, str) and value:
        return file_name(value)
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(each, str) for each in value):
        return (file_name(value[0]), file_name(value[1]))
    raise ValueError('a file name, or a list of two: certificate and key')


# Of every section that describes a client: how its session and its connections behave.
CLIENT_KEYS: Mapping[str, Key] = {
    'NETWORK_ALLOWANCE': Key('session', 'network_allowance', seconds),
    'HANDSHAKE_DISTANCE': Key('session', 'handshake_distance', seconds),
    'DISCONNECT_TIMEOUT': Key('session', 'disconnect_timeout', seconds),
    'BACKOFF_FIRST': Key('backoff', 'first', seconds),
    'BACKOFF_CAP': Key('backoff', 'cap', seconds),
    'CONNECT_TIMEOUT': Key('transport', 'connect_timeout', seconds),
    'CA_BUNDLE': Key('transport', 'ca_bundle', file_name),
    'CLIENT_CERTIFICATE': Key('transport', 'client_certificate', certificate),
    'PROXY': Key('transport', 'proxy', proxy),
    'MESSAGE_LIMIT': Key('transport', 'message_limit', whole),
    'REQUEST_LIMIT': Key('transport', 'request_limit', whole),
}
