"""The handle on a fake server in a process of its own. Standard library only.

    with start_fake(timeout=5.0) as fake:
        ... let a client connect to fake.url ...
        fake.wait_for('reply', channel='/meta/subscribe', successful=True)
        fake.publish('/topic/Orders', {'n': 1})

A process, because users' test processes are monkey-patched by eventlet, where asyncio cannot run. It ends
with the process that started it. Everything here blocks, with a limit, and works patched and unpatched.
"""

import http.client
import json
import ssl
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from .faults import FaultKind
from .journal import Entry, Kind
from .people import Person
from .process import ServerProcess

__all__ = ['FakeServer', 'Faults', 'NotHappened', 'start_fake']

CALL_S = 30.0
SHOWN_LINES = 20

# User and app of the built-in seed.
USERNAME = 'integration@example.com'
CONSUMER_KEY = 'fake-consumer-key'
CONSUMER_SECRET = 'fake-consumer-secret'


class NotHappened(AssertionError):
    """What a test waited for did not happen in time. The message names it and shows the last lines."""


class Faults:
    """The fault schedule of a server."""

    def __init__(self, server: 'FakeServer') -> None:
        self._server = server

    def add(self, kind: FaultKind | str, **fields: Any) -> int:
        """Add a fault; the fields are those of `faults.Fault`. Returns its number.

        Raises:
            ValueError: unknown or unusable fields.
        """
        fault = {'kind': kind.value if isinstance(kind, FaultKind) else kind, **fields}
        return int(self._server.call('POST', 'faults', fault)['numbers'][0])

    def clear(self) -> None:
        """Forget all faults."""
        self._server.call('DELETE', 'faults')

    def list(self) -> list[dict[str, Any]]:
        """All faults with their fields, `number`, and how often they `struck`."""
        return list(self._server.call('GET', 'faults'))


class FakeServer(ServerProcess):
    """A fake server in a process of its own, to be talked to.

    Attributes:
        faults: its fault schedule.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        super().__init__(arguments)
        self.faults = Faults(self)

    # --- the world --------------------------------------------------------------------------------

    def publish(self, channel: str, data: Any, *, lazy: bool = False) -> int:
        """Publish an event; returns how many sessions it reached.

        Raises:
            ValueError: not a channel that can be published to.
        """
        event = {'channel': channel, 'data': data, 'lazy': lazy}
        return int(self.call('POST', 'publish', event)['sessions'][0])

    def publish_many(self, events: Sequence[tuple[str, Any]]) -> list[int]:
        """Publish (channel, data) pairs in one go; returns how many sessions each reached."""
        body = [{'channel': channel, 'data': data} for channel, data in events]
        return list(self.call('POST', 'publish', body)['sessions'])

    def advance(self, seconds: float) -> float:
        """Push the server's clock; what is due has happened when this returns. Returns the new time."""
        return float(self.call('POST', 'clock', {'advance': seconds})['now'])

    def now(self) -> float:
        """The server's clock, in seconds."""
        return float(self.call('GET', 'clock')['now'])

    def sessions(self) -> list[dict[str, Any]]:
        """The living sessions, with the fields of `sessions.SessionView`."""
        return list(self.call('GET', 'sessions'))

    def settings(self) -> dict[str, Any]:
        """The settings in force."""
        return dict(self.call('GET', 'settings'))

    def configure(self, **changes: Any) -> dict[str, Any]:
        """Change fields of `settings.BrokerSettings` for the rest of the test; returns all settings.

        Raises:
            ValueError: unknown names or values of the wrong type.
        """
        return dict(self.call('PATCH', 'settings', changes))

    def disconnect(self, session: str) -> int:
        """Disconnect a session from the server's side; returns 0 if there is none with this `clientId`."""
        return int(self.call('POST', 'disconnect', {'session': session})['sessions'])

    def disconnect_all(self) -> int:
        """Disconnect all sessions from the server's side; returns how many."""
        return int(self.call('POST', 'disconnect', {})['sessions'])

    def restart(self) -> None:
        """Lose all sessions and queues and break held polls, without ending the process."""
        self.call('POST', 'restart', {})

    def expire_routing_cookies(self) -> int:
        """Let the load balancer send everybody to another server, as it does every few hours.

        Returns:
            How many cookies had not ended by themselves.
        Raises:
            ValueError: a plain CometD server has none.
        """
        return int(self.call('POST', 'expire_routes', {})['routes'])

    def retained(self, channel: str) -> list[dict[str, Any]]:
        """The `data` of all events of a channel that can be replayed, oldest first.

        Raises:
            ValueError: a plain CometD server keeps none.
        """
        return list(self.call('GET', f'replay?{urlencode({"channel": channel})}')['events'])

    def reset(self, profile: str | None = None) -> None:
        """Back to the state at start: settings, clock, faults, journal, sessions.

        Args:
            profile: be another kind of server from now on: `'salesforce'` or `'vanilla'`.
        Raises:
            ValueError: no such profile.
        """
        answer = self.call('POST', 'reset', {} if profile is None else {'profile': profile})
        self._endpoint, self._profile = answer['endpoint'], ['--profile', answer['profile']]

    # --- logins and data ----------------------------------------------------------------------------

    def seed(self, content: Mapping[str, Any]) -> None:
        """Add to the org: users, apps, objects, records, ... in the notation of `--org`. Raises no events.

        Raises:
            ValueError: everything that is wrong with it; nothing was added.
        """
        self.call('POST', 'seed', dict(content))

    def revoke_tokens(self, username: str | None = None) -> int:
        """Let the access tokens of a user die, or all; returns how many.

        Raises:
            ValueError: no such user.
        """
        return int(self.call('POST', 'revoke', {'username': username})['tokens'])

    def issue_token(self, username: str = USERNAME) -> str:
        """An access token without a login, for tests that are about something else.

        Raises:
            ValueError: no such user.
        """
        return str(self.call('POST', 'token', {'username': username})['access_token'])

    def raise_gap(self, sobject: str, *record_ids: str, change_type: str = 'GAP_UPDATE') -> None:
        """Raise a change event that does not say what changed; without ids the overflow event.

        Args:
            change_type: `GAP_CREATE`, `GAP_UPDATE`, `GAP_DELETE` or `GAP_UNDELETE`.
        Raises:
            ValueError: no such object or record, or it is not selected for Change Data Capture.
        """
        body = {'sobject': sobject, 'record_ids': list(record_ids), 'change_type': change_type}
        self.call('POST', 'gap', body)

    def undelete(self, sobject: str, record_id: str, username: str = 'ada@example.com') -> None:
        """Somebody takes a record out of the recycle bin, which REST cannot do.

        Raises:
            ValueError: no such user, or no such record in the bin.
        """
        self.call('POST', 'undelete', {'sobject': sobject, 'record_id': record_id, 'username': username})

    def grant_refresh_token(self, username: str, consumer_key: str = CONSUMER_KEY) -> str:
        """A refresh token, as a user gets it who goes through the web flow.

        Raises:
            ValueError: no such user or app.
        """
        body = {'username': username, 'consumer_key': consumer_key}
        return str(self.call('POST', 'grant', body)['refresh_token'])

    def person(self, username: str = 'ada@example.com') -> Person:
        """Somebody who works in the org by REST; the default is not the user that services log in as.

        Raises:
            ValueError: no such user.
        """
        return Person(self._connection, lambda: self.issue_token(username))

    @property
    def login_url(self) -> str:
        """Where logins go: the same as `base_url`, which serves REST and CometD as well."""
        return self._base_url

    def section(self, **changes: Any) -> dict[str, Any]:
        """A `SALESFORCE` section that logs in here, by client credentials of the built-in seed.

        Args:
            **changes: further keys, or other values; a key that is given None is left out.
        """
        section = {
            'LOGIN_URL': self.login_url,
            'CONSUMER_KEY': CONSUMER_KEY,
            'CONSUMER_SECRET': CONSUMER_SECRET,
            **changes,
        }
        return {name: value for name, value in section.items() if value is not None}

    # --- facts --------------------------------------------------------------------------------------

    def journal(
        self,
        kind: Kind | str | None = None,
        *,
        channel: str | None = None,
        session: str | None = None,
        after: int = 0,
        **detail: Any,
    ) -> list[Entry]:
        """Entries of the journal, oldest first; the conditions as for `wait_for`."""
        return self._look(_conditions(kind, channel, session, after, detail), 0, 0.0)

    def wait_for(
        self,
        kind: Kind | str | None = None,
        *,
        channel: str | None = None,
        session: str | None = None,
        after: int = 0,
        count: int = 1,
        timeout: float = 10.0,
        **detail: Any,
    ) -> list[Entry]:
        """Wait until something is in the journal.

        Args:
            kind: kind of the entries, see `journal.Kind`.
            channel: their channel.
            session: their `clientId`.
            after: only entries with a higher number, see `mark`.
            count: how many of them.
            timeout: seconds of real time.
            **detail: fields that their `detail` must hold.
        Returns:
            All entries that match, at least `count`.
        Raises:
            NotHappened: the time is over.
            ValueError: unknown kind.
        """
        conditions = _conditions(kind, channel, session, after, detail)
        found = self._wait(conditions, count, timeout)
        if len(found) < count:
            lines = '\n'.join(f'  {_line(entry)}' for entry in self.journal()[-SHOWN_LINES:])
            wanted = ', '.join(f'{name}={value}' for name, value in conditions.items())
            raise NotHappened(
                f'waited {timeout:g} s for {count} entries with {wanted}; found {len(found)}.'
                f' The last lines of the journal:\n{lines or "  (it is empty)"}'
            )
        return found

    def wait_for_subscriptions(self, *channels: str, timeout: float = 10.0) -> None:
        """Wait until each of these channels has been subscribed to, by whatever client.

        Raises:
            NotHappened: the time is over; names the first channel that is missing.
        """
        for channel in channels:
            self.wait_for(
                'reply', channel='/meta/subscribe', successful=True, subscription=channel, timeout=timeout
            )

    def mark(self) -> int:
        """The number of the last entry, for `after`."""
        return int(self.call('GET', 'journal?kind=restarted')['last'])

    def violations(self) -> list[Entry]:
        """What clients did that they must not do."""
        return self.journal(Kind.VIOLATION)

    def call(self, method: str, path: str, body: Any = None, *, wait: float = 0.0) -> Any:
        """One control request; returns the decoded answer.

        Raises:
            ValueError: the server refused the request; the text is its own.
            OSError, http.client.HTTPException: the server is not there or broke off.
        """
        connection = self._connection(CALL_S + wait)
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {'Content-Type': 'application/json', 'Connection': 'close'}
            connection.request(method, f'/_fake/{path}', content, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(answer['error'])
        return answer

    def _connection(self, timeout: float = CALL_S) -> http.client.HTTPConnection:
        address = urlsplit(self._base_url)
        assert address.hostname is not None, 'the server was never started'
        if address.scheme == 'https':
            # Our own child on this machine; the certificate is what the test is about, not we.
            context = ssl._create_unverified_context()
            return http.client.HTTPSConnection(
                address.hostname, address.port, timeout=timeout, context=context
            )
        return http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)

    def _wait(self, conditions: Mapping[str, Any], count: int, timeout: float) -> list[Entry]:
        """Look until there are `count` entries, and give way to green threads meanwhile."""
        patcher = sys.modules.get('eventlet.patcher')
        if patcher is None or patcher.is_monkey_patched('socket'):
            return self._look(conditions, count, timeout)
        # Eventlet is in use but has not patched the sockets: a wait in one of ours would stop
        # the very client that the test is about.
        deadline = time.monotonic() + timeout
        while True:
            found = self._look(conditions, 0, 0.0)
            if len(found) >= count or time.monotonic() >= deadline:
                return found
            sys.modules['eventlet'].sleep(0.02)

    def _look(self, conditions: Mapping[str, Any], count: int, wait: float) -> list[Entry]:
        query = urlencode({**conditions, 'count': count, 'wait': wait})
        entries = self.call('GET', f'journal?{query}', wait=wait)['entries']
        return [Entry(**{**entry, 'kind': Kind(entry['kind'])}) for entry in entries]


@contextmanager
def start_fake(*arguments: str, **settings: Any) -> Iterator[FakeServer]:
    """Run a further server, on a free port, as long as the context lasts.

    Args:
        *arguments: options of `fake-salesforce`, for instance `'--tls-certificate', path, '--tls-key', path`.
        **settings: fields of `settings.BrokerSettings`.
    Raises:
        RuntimeError: it did not come up.
    """
    options = [f'--setting={name}={json.dumps(value)}' for name, value in settings.items()]
    server = FakeServer([*arguments, *options])
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _conditions(
    kind: Kind | str | None, channel: str | None, session: str | None, after: int, detail: Mapping[str, Any]
) -> dict[str, Any]:
    conditions = {
        'kind': kind.value if isinstance(kind, Kind) else kind,
        'channel': channel,
        'session': session,
        'after': after or None,
        'detail': json.dumps(detail) if detail else None,
    }
    return {name: value for name, value in conditions.items() if value is not None}


def _line(entry: Entry) -> str:
    detail = json.dumps(entry.detail)
    return f'{entry.number:5} {entry.at:10.3f} {entry.kind.value:9} {entry.channel or "-":20} {detail[:120]}'
