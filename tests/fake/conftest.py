"""What the tests of the fake share: a world without sockets, and a raw HTTP client without a library."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from fake_salesforce.answers import Answer
from fake_salesforce.broker import Broker
from fake_salesforce.settings import PROFILES

HANDSHAKE = {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}


class Org:
    """As much of an org as the broker asks for: who has which token, which channels there are not."""

    def __init__(self) -> None:
        self.users = {'Bearer token': '005A', 'OAuth token': '005A', 'Bearer other': '005B'}
        self.problems: dict[str, str] = {}
        self.fields = {'Status__c', 'Id', 'Paid__c', 'Note__c'}

    def user_of(self, authorization: str | None, now: float) -> object:
        return self.users.get(authorization or '')

    def topic_problem(self, channel: str, fields: tuple[str, ...]) -> str | None:
        if unknown := [name for name in fields if name not in self.fields]:
            return f'400::Query fields {", ".join(unknown)} do not exist on the topic entity'
        return self.problems.get(channel)


class World:
    """A broker with a clock that the test moves."""

    def __init__(self, profile: str = 'vanilla', **settings: Any) -> None:
        self.org = Org()
        self.broker = Broker(PROFILES[profile].changed(settings), Random(1), rules=self.org)
        self.now = 1000.0
        self.released: dict[int, Answer] = {}
        self.exchanges = 0

    def receive(self, body: Any, cookies: dict[str, str] | None = None, **how: Any) -> Answer | None:
        self.exchanges += 1
        how = {'authorization': 'Bearer token', 'path': '67.0', **how}
        answer = self.broker.receive(self.exchanges, body, cookies or {}, self.now, **how)
        self.collect()
        return answer

    def collect(self) -> None:
        for exchange_id, answer in self.broker.take_answers():
            assert exchange_id not in self.released, 'answered twice'
            self.released[exchange_id] = answer

    def publish(self, channel: str, data: Any, lazy: bool = False) -> int:
        reached = self.broker.publish(channel, data, self.now, lazy=lazy)
        self.collect()
        return reached

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline as a punctual driver does."""
        until = self.now + seconds
        while self.broker.deadline is not None and self.broker.deadline <= until:
            self.now = max(self.now, self.broker.deadline)
            self.broker.elapsed(self.now)
            self.collect()
        self.now = until

    def violations(self) -> list[str]:
        return [entry.detail['violation'] for entry in self.broker.journal.violations]

    def peer(self, **handshake: Any) -> 'Peer':
        """A client that has shaken hands."""
        peer = Peer(self)
        peer.handshake(**handshake)
        return peer

    def connected(self, *subscriptions: str, **handshake: Any) -> 'Peer':
        """A client after handshake, first connect and subscriptions."""
        peer = self.peer(**handshake)
        peer.connect()
        for channel in subscriptions:
            assert peer.subscribe(channel)['successful'] is True
        return peer


class Peer:
    """A client as simple as can be: it keeps its cookie and its client id, and decides nothing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cookies: dict[str, str] = {}
        self.token = 'Bearer token'
        self.client_id = ''
        self.exchange = 0
        self.batch = 0

    def send(self, *messages: Any, **how: Any) -> Answer | None:
        how = {'authorization': self.token, **how}
        answer = self.world.receive(list(messages), self.cookies, **how)
        self.exchange = self.world.exchanges
        if answer is not None and answer.timed_cookie is not None:
            self.cookies[answer.timed_cookie.name] = answer.timed_cookie.value
        if answer is not None and answer.set_cookie is not None:
            name, _, value = answer.set_cookie.split(';')[0].partition('=')
            self.cookies[name] = value
        return answer

    def ask(self, channel: str, **fields: Any) -> list[dict[str, Any]]:
        """One message that is answered at once; returns the messages of the answer."""
        answer = self.send({'channel': channel, 'clientId': self.client_id, **fields})
        assert answer is not None
        assert answer.messages is not None
        return answer.messages

    def handshake(self, **fields: Any) -> dict[str, Any]:
        answer = self.send({**HANDSHAKE, **fields})
        assert answer is not None
        assert answer.messages is not None
        reply = answer.messages[0]
        self.client_id = reply.get('clientId', '')
        return reply

    def subscribe(self, channel: Any, **fields: Any) -> dict[str, Any]:
        return self.ask('/meta/subscribe', subscription=channel, **fields)[-1]

    def connect_message(self, **fields: Any) -> dict[str, Any]:
        return {
            'channel': '/meta/connect',
            'clientId': self.client_id,
            'connectionType': 'long-polling',
            **fields,
        }

    def connect(self, **fields: Any) -> list[dict[str, Any]]:
        """A connect that is answered at once."""
        answer = self.send(self.connect_message(**fields))
        assert answer is not None, 'held'
        assert answer.messages is not None
        return answer.messages

    def poll(self, **fields: Any) -> int:
        """A connect that is held; returns its exchange."""
        assert self.send(self.connect_message(**fields)) is None, 'not held'
        return self.exchange

    def released(self, exchange: int | None = None) -> list[dict[str, Any]] | None:
        """The messages that the last (or this) held connect was answered with, None while it is held."""
        answer = self.world.released.get(exchange or self.exchange)
        return answer.messages if answer is not None else None


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_world() -> type[World]:
    return World


@pytest.fixture
def salesforce() -> World:
    return World('salesforce')


@pytest.fixture
def make_salesforce() -> Callable[..., World]:
    return partial(World, 'salesforce')


class RawClient:
    """HTTP without help: one connection, cookies kept, JSON in and out."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        self.address = urlsplit(url)
        self.tls = tls
        self.cookies: dict[str, str] = {}
        self.token: str | None = None
        self.client_id = ''
        self.connections: list[http.client.HTTPConnection] = []

    def connection(self) -> http.client.HTTPConnection:
        host, port = self.address.hostname or '', self.address.port
        made = http.client.HTTPConnection(host, port, timeout=20)
        if self.tls is not None:
            made = http.client.HTTPSConnection(host, port, timeout=20, context=self.tls)
        self.connections.append(made)
        return made

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def begin(
        self,
        body: Any,
        *,
        path: str = '',
        method: str = 'POST',
        content_type: str | None = 'application/json;charset=UTF-8',
        headers: dict[str, str] | None = None,
    ) -> http.client.HTTPConnection:
        """Send a request and return at once."""
        connection = self.connection()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        all_headers = dict(headers or {})
        if content_type is not None:
            all_headers['Content-Type'] = content_type
        if self.cookies:
            all_headers['Cookie'] = '; '.join(f'{name}={value}' for name, value in self.cookies.items())
        if self.token is not None:
            all_headers['Authorization'] = self.token
        connection.request(method, self.address.path + path, content, all_headers)
        return connection

    def end(self, connection: http.client.HTTPConnection) -> tuple[http.client.HTTPResponse, bytes]:
        response = connection.getresponse()
        for given in response.headers.get_all('Set-Cookie', []):
            name, _, value = given.split(';')[0].partition('=')
            self.cookies[name] = value
        return response, response.read()

    def exchange(self, body: Any, **how: Any) -> tuple[http.client.HTTPResponse, bytes]:
        return self.end(self.begin(body, **how))

    def post(self, *messages: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
        response, content = self.exchange(list(messages), **how)
        assert response.status == 200, response.status
        return list(json.loads(content))

    def connect_message(self, **fields: Any) -> dict[str, Any]:
        return {
            'channel': '/meta/connect',
            'clientId': self.client_id,
            'connectionType': 'long-polling',
            **fields,
        }

    def log_in(self, section: dict[str, Any]) -> None:
        """Get a token, by client credentials."""
        form = {
            'grant_type': 'client_credentials',
            'client_id': section['CONSUMER_KEY'],
            'client_secret': section['CONSUMER_SECRET'],
        }
        connection = self.connection()
        headers = {'Content-Type': 'application/x-www-form-urlencoded'}
        connection.request('POST', '/services/oauth2/token', urlencode(form), headers)
        token = json.loads(connection.getresponse().read())['access_token']
        self.token = f'Bearer {token}'

    def connected(self, *subscriptions: str) -> 'RawClient':
        self.client_id = self.post(HANDSHAKE)[0]['clientId']
        self.post(self.connect_message())
        for channel in subscriptions:
            message = {'channel': '/meta/subscribe', 'clientId': self.client_id, 'subscription': channel}
            assert self.post(message)[0]['successful'] is True
        return self


@contextmanager
def _raw(url: str, tls: ssl.SSLContext | None = None) -> Iterator[RawClient]:
    client = RawClient(url, tls)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def raw_client() -> Any:
    """`with raw_client(url) as client`: a client over a real socket."""
    return _raw


@pytest.fixture
def client(fake_cometd: Any) -> Iterator[RawClient]:
    """A client of the server of this test."""
    with _raw(fake_cometd.url) as made:
        yield made


@pytest.fixture
def org_client(fake_salesforce: Any) -> Iterator[RawClient]:
    """A client of the Salesforce of this test."""
    with _raw(fake_salesforce.url) as made:
        made.log_in(fake_salesforce.section())
        yield made


@pytest.fixture
def raw_socket(fake_cometd: Any) -> Iterator[socket.socket]:
    """A bare connection to the server of this test."""
    address = urlsplit(fake_cometd.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as made:
        yield made
