"""`fake-salesforce`: run the fake server."""

import argparse
import ast
import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from .settings import PROFILES, BrokerSettings

__all__ = ['main']

# What the fake needs and the library does not.
EXTRA = ('aiohttp', 'lark', 'yaml')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the server until SIGTERM or Ctrl-C; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if (options.tls_certificate is None) != (options.tls_key is None):
        parser.error('--tls-certificate and --tls-key go together')
    try:
        settings = _settings(options)
    except ValueError as problem:
        parser.error(str(problem))
    try:
        from .server import ServerOptions, check_org, serve
    except ModuleNotFoundError as problem:
        if problem.name not in EXTRA:
            raise
        print(f'fake-salesforce needs {problem.name}: pip install nameko-salesforce[fake]', file=sys.stderr)
        return 1
    try:
        org = check_org(options.org.read_text(encoding='utf-8') if options.org is not None else None)
    except (OSError, ValueError) as problem:
        parser.error(f'--org {options.org}: {_explained(problem)}')
    server_options = ServerOptions(
        settings=settings,
        host=options.host,
        port=options.port,
        gzip=options.gzip,
        seed=options.seed,
        org=org,
        speed=options.speed,
        control_hosts=tuple(options.control_host),
        tls_certificate=options.tls_certificate,
        tls_key=options.tls_key,
        until_stdin_closes=options.until_stdin_closes,
    )

    def ready(url: str) -> None:
        if not _is_of_this_machine(options.host):
            print(
                f'fake-salesforce: other machines reach {options.host!r} as well, and its passwords are no'
                ' secrets. Control endpoints are not served to them, unless --control-host says so',
                file=sys.stderr,
            )
        endpoint = f'{url}{settings.endpoint}'
        if options.profile == 'vanilla':
            print(f'Fake CometD server at {endpoint}', flush=True)
        else:
            lines = [
                f'Fake Salesforce at {url}, streaming at {endpoint}',
                *_ways_in(org, options.org is None),
                *(_to_try(url) if options.org is None and options.tls_key is None else ()),
            ]
            print(*lines, sep='\n', flush=True)

    try:
        asyncio.run(serve(server_options, ready))
    except OSError as problem:
        print(f'fake-salesforce: {problem.strerror or problem}', file=sys.stderr)
        return 1
    return 0


def _is_of_this_machine(host: str) -> bool:
    """Whether nobody else reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == 'localhost'


def _explained(problem: OSError | ValueError) -> str:
    """A problem with a file; several ones in lines of their own."""
    if isinstance(problem, OSError):
        return problem.strerror or str(problem)
    return '\n  '.join(['', *str(problem).split('; ')])


def _to_try(url: str) -> list[str]:
    """Two commands for another terminal: a token, and a record whose events go out."""
    form = '&'.join(
        [
            'grant_type=password&client_id=fake-consumer-key&client_secret=fake-consumer-secret',
            'username=ada@example.com&password=secrettoken',
        ]
    )
    find = 'import json, sys; print(json.load(sys.stdin)["access_token"])'
    return [
        'In another terminal, as somebody who works there:',
        f"  TOKEN=$(curl -s -d '{form}' {url}/services/oauth2/token | python3 -c '{find}')",
        '  curl -H "Authorization: Bearer $TOKEN" -H \'Content-Type: application/json\''
        f' -d \'{{"LastName": "Hopper"}}\' {url}/services/data/v67.0/sobjects/Contact/',
    ]


def _ways_in(org: Mapping[str, Any], built_in: bool) -> list[str]:
    """How to log in, for the first user and app; the secrets of an org of one's own are left out."""
    lines = []
    for app in org.get('apps', [])[:1]:
        secret = f', consumer secret {app["consumer_secret"]}' if built_in else ''
        lines.append(f'  client credentials: consumer key {app["consumer_key"]}{secret}')
    for user in org.get('users', [])[:1]:
        secret = f', password {user["password"]}, security token {user["security_token"]}' if built_in else ''
        lines.append(f'  or password:        user {user["username"]}{secret}')
    return lines


def _manual() -> str:
    """Endpoints and faults, read from where they are made: importing the endpoints needs aiohttp."""
    here = Path(__file__).parent
    endpoints = ast.get_docstring(ast.parse((here / 'control.py').read_text())) or ''
    source = (here / 'faults.py').read_text().partition('class FaultKind')[2].partition('@dataclass')[0]
    kinds = re.findall(r"^    [A-Z_]+ = '(\w+)'\n    '(.+)'$", source, re.MULTILINE)
    faults = '\n'.join(f'    {kind:18} {text}' for kind, text in kinds)
    about = (
        'Faults: {"kind", "channel"?, "nth"?, "count"? (null: for ever), ...}; they strike the\n'
        'requests that come after them. "processed" says whether the server acts all the same.\n'
        'A channel is a Bayeux channel, `login`, `rest`, or a path such as /services/data/**.'
    )
    return f'{endpoints}\n\n{about}\n\n{faults}\n'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='fake-salesforce',
        description='A strict fake Salesforce org, or a plain CometD server, for development and tests. It'
        ' prints its URL, how to log in and what to try, then serves until SIGTERM or Ctrl-C. Control'
        ' endpoints below /_fake/ arrange the world for a test.',
        epilog=_manual(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        '--profile',
        choices=sorted(PROFILES),
        default='salesforce',
        help='what to imitate (default: %(default)s)',
    )
    add('--host', default='127.0.0.1', help='address to listen on (default: %(default)s, this machine alone)')
    add(
        '--port',
        type=_port,
        default=8080,
        help='port to listen on; 0 takes a free one (default: %(default)s)',
    )
    for name, text in (
        ('timeout', 'how long a connect is held'),
        ('interval', 'advised pause between two connects'),
        ('max_interval', 'how long a session lives after that without a connect'),
        ('multi_session_interval', 'advised pause for a second session behind one cookie'),
        ('max_lazy_timeout', 'how long lazy events wait'),
    ):
        defaults = ', '.join(f'{kind} {getattr(one, name):g}' for kind, one in PROFILES.items())
        flag = '--' + name.replace('_', '-')
        add(flag, type=float, metavar='SECONDS', help=f'{text} (profile {defaults})')
    add('--trust-client-id', action='store_true', help='accept a clientId without its cookie')
    add('--replies-first', action='store_true', help='put replies before the events of a response')
    add(
        '--setting',
        action='append',
        default=[],
        metavar='NAME=JSON',
        help='any field of BrokerSettings or, for Salesforce, SalesforceSettings in fake_salesforce.settings;'
        ' may be repeated',
    )
    add(
        '--speed',
        type=_speed,
        default=1.0,
        metavar='N',
        help="let the server's clock run N times as fast as real time (default: %(default)g)",
    )
    add(
        '--org',
        type=Path,
        metavar='FILE',
        help='YAML file with users, connected apps, objects and records (default: two users, one app)',
    )
    add('--gzip', action='store_true', help='compress answers for clients that accept gzip')
    add('--seed', type=int, help='make client ids and cookies repeatable')
    add(
        '--control-host',
        action='append',
        default=[],
        metavar='NAME',
        help='accept control requests from other machines too, if their Host is NAME; may be repeated'
        ' (default: from this machine only)',
    )
    add('--tls-certificate', type=Path, metavar='FILE', help='PEM file; serve HTTPS')
    add('--tls-key', type=Path, metavar='FILE', help='PEM file with the private key')
    add(
        '--until-stdin-closes',
        action='store_true',
        help='end when standard input ends, so that the server dies with the process that started it',
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError('a port is from 0 to 65535')
    return port


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed <= 1e6:
        raise argparse.ArgumentTypeError('a speed is above 0, and a million at most')
    return speed


def _settings(options: argparse.Namespace) -> BrokerSettings:
    """The profile's settings with what the command line changes.

    Raises:
        ValueError: what is wrong.
    """
    changes: dict[str, Any] = {}
    for name in ('timeout', 'interval', 'max_interval', 'multi_session_interval', 'max_lazy_timeout'):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    for name in ('trust_client_id', 'replies_first'):
        if getattr(options, name):
            changes[name] = True
    for text in options.setting:
        name, equals, value = text.partition('=')
        if not equals:
            raise ValueError(f'--setting {text}: expected NAME=JSON')
        try:
            changes[name] = json.loads(value)
        except ValueError:
            raise ValueError(f'--setting {text}: not JSON') from None
    return PROFILES[options.profile].changed(changes)


if __name__ == '__main__':
    sys.exit(main())
