"""Real Nameko containers against the fake server over HTTP, and RabbitMQ for the tests that ask for it.

The process is monkey-patched as under `nameko run`, before anything else is imported.
"""

import eventlet

eventlet.monkey_patch()

import gc  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

import pytest  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402
from cryptography.hazmat.primitives.serialization import (  # noqa: E402
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fake_salesforce.client import FakeServer  # noqa: E402
from fake_salesforce.people import Person  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402
from nameko.testing.utils import get_extension  # noqa: E402

from nameko_salesforce.bayeux.client import Client  # noqa: E402
from nameko_salesforce.bayeux.connection import StreamConnection  # noqa: E402
from tests.integration.rabbitmq import RabbitMQ  # noqa: E402
from tests.services.redis_server import RedisServer  # noqa: E402

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds that a test waits for a fact.
PATIENCE = 10.0 * SLOWNESS

# Seconds that the end of a service may take: DISCONNECT_TIMEOUT below, the client's margin of 1, and the rest
# for a busy machine. What this guards against takes as long as a held poll (30 s), or for ever.
BOUND = 5.0 * SLOWNESS

# Quick recovery, so that no test waits for a pause that has nothing to do with it.
QUICK = {
    'HANDSHAKE_DISTANCE': 0.05,
    'BACKOFF_FIRST': 0.05,
    'BACKOFF_CAP': 0.5,
    'DISCONNECT_TIMEOUT': 0.5,
    'NETWORK_ALLOWANCE': 5,
}


class Log(logging.Handler):
    """Every record of the test's time, and which errors it may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.expected: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def expect_error(self, pattern: str) -> None:
        """Records of level ERROR or above may match this."""
        self.expected.append(pattern)

    def lines(self, pattern: str, level: int = logging.INFO) -> list[str]:
        """The messages of at least this level that match."""
        texts = [record.getMessage() for record in self.records if record.levelno >= level]
        return [text for text in texts if re.search(pattern, text)]

    def unexpected(self) -> list[str]:
        return [
            text
            for text in self.lines('', logging.ERROR)
            if not any(re.search(pattern, text) for pattern in self.expected)
        ]


def bounded(what: str) -> Any:
    """Fails the test where its block takes too long."""
    return eventlet.Timeout(BOUND, AssertionError(f'{what} took over {BOUND:g} s'))


class Running:
    """A service in its container."""

    def __init__(self, container: ServiceContainer, log: Log) -> None:
        self.container = container
        self.connection: StreamConnection = get_extension(container, StreamConnection)
        self._log = log

    @property
    def client(self) -> Client:
        assert self.connection.client is not None, 'setup() has not run'
        return self.connection.client

    def start(self) -> 'Running':
        self.container.start()
        return self

    def end(self, how: str) -> None:
        """`stop` or `kill` the container, in time; raises what had killed it before."""
        with bounded(f'{how}() of the container'):
            getattr(self.container, how)()
            self.container.wait()


class World:
    """A fake server, and the services connected to it."""

    def __init__(self, server: FakeServer, factory: Callable[..., ServiceContainer], log: Log) -> None:
        self.server = server
        self.log = log
        self._factory = factory

    def make(self, service: type, *, max_workers: int = 10, **settings: Any) -> Running:
        """A service that is not started; `settings` of the section BAYEUX."""
        section = {'SERVER_URI': self.server.url, **QUICK, **settings}
        return Running(self._factory(service, {'BAYEUX': section, 'max_workers': max_workers}), self.log)

    def run(self, service: type, **settings: Any) -> Running:
        """A started service with all channels subscribed to."""
        running = self.make(service, **settings).start()
        self.subscribed(running)
        return running

    @staticmethod
    def bounded() -> Any:
        """Fails the test where its block takes longer than the end of a service may."""
        return bounded('the end of the service')

    def subscribed(self, running: Running) -> None:
        self.until(
            'every channel to be active',
            lambda: (
                running.client.channels
                and all(status.state.value == 'active' for status in running.client.channels.values())
            ),
        )

    def until(self, what: str, condition: Callable[[], Any], patience: float = PATIENCE) -> None:
        """Wait for a fact of this process."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                last = '\n'.join(self.log.lines('')[-20:])
                pytest.fail(f'waited {patience:g} s for {what}. The last lines of the log:\n{last}')
            eventlet.sleep(0.01)

    def sockets(self) -> int:
        """How many sockets this process has open to the server."""
        gc.collect()  # those of earlier tests that only the frames of an exception hold are nobody's
        port = urlsplit(self.server.base_url).port
        assert port is not None
        ours = set()
        for descriptor in Path('/proc/self/fd').iterdir():
            try:
                ours.add(str(descriptor.readlink()))
            except FileNotFoundError:  # the descriptor of this very listing
                continue
        rows = [line.split() for line in Path('/proc/self/net/tcp').read_text().splitlines()[1:]]
        return sum(row[2].endswith(f':{port:04X}') and f'socket:[{row[9]}]' in ours for row in rows)

    def nothing_left(self, running: Running) -> None:
        """No green thread, no worker and no socket survives the service."""
        assert running.container._managed_threads == {}
        assert running.container._worker_threads == {}
        # Nameko's own words for threads that an extension forgot.
        assert self.log.lines('managed thread') == []
        assert self.sockets() == 0


class Org(World):
    """A fake Salesforce, people who work in it, and the services that log in to it."""

    def __init__(self, server: FakeServer, factory: Callable[..., ServiceContainer], log: Log) -> None:
        super().__init__(server, factory, log)
        self._people: dict[str, Person] = {}

    def make(self, service: type, *, max_workers: int = 10, **settings: Any) -> Running:
        """A service that is not started; `settings` of the section SALESFORCE, None for keys to leave out."""
        section = self.server.section(**{**QUICK, **settings})
        config = {'SALESFORCE': section, 'max_workers': max_workers, 'WEB_SERVER_ADDRESS': '127.0.0.1:0'}
        return Running(self._factory(service, config), self.log)

    @property
    def ada(self) -> 'Person':
        """Somebody who is not the user of the services."""
        return self.person('ada@example.com')

    def person(self, username: str) -> 'Person':
        if username not in self._people:
            self._people[username] = self.server.person(username)
        return self._people[username]

    def forget_people(self) -> None:
        """Of an org that is no more."""
        self._people.clear()

    def logins(self) -> int:
        """How often services have logged in."""
        return len(self.server.journal('login'))

    def handshakes(self) -> int:
        """How many handshakes were accepted."""
        return len(self.server.journal('reply', channel='/meta/handshake', successful=True))


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """What was logged. A record of level ERROR or above that the test did not announce fails it."""
    handler = Log()
    root = logging.getLogger()
    old = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(old)
    assert handler.unexpected() == []


@pytest.fixture
def world(
    fake_cometd: FakeServer, container_factory: Callable[..., ServiceContainer], log: Log
) -> Iterator[World]:
    """A fake server and the services connected to it; the server saw no rule broken."""
    yield World(fake_cometd, container_factory, log)
    if fake_cometd.running:
        assert [entry.detail for entry in fake_cometd.violations()] == []


@pytest.fixture
def org(
    fake_salesforce: FakeServer, container_factory: Callable[..., ServiceContainer], log: Log
) -> Iterator[Org]:
    """A fake Salesforce and the services that log in to it; it saw no rule broken."""
    yield Org(fake_salesforce, container_factory, log)
    if fake_salesforce.running:
        assert [entry.detail for entry in fake_salesforce.violations()] == []


@pytest.fixture(scope='session')
def jwt_key() -> SimpleNamespace:
    """A key pair for JWT bearer logins: `private` and `public`, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return SimpleNamespace(private=private.decode(), public=public.decode())


@pytest.fixture
def server(world: World) -> FakeServer:
    return world.server


@pytest.fixture
def gate() -> SimpleNamespace:
    """Holds handlers until the test opens it: `gate.wait()`, `gate.open()`; `gate.begun` counts arrivals."""
    event = eventlet.event.Event()
    gate = SimpleNamespace(begun=0)

    def wait() -> None:
        gate.begun += 1
        event.wait()

    gate.wait = wait
    gate.open = event.send
    return gate


@pytest.fixture(scope='session')
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A RabbitMQ of this run, started for the first test that needs it."""
    with RabbitMQ(tmp_path_factory.mktemp('rabbitmq')) as broker:
        yield broker


@pytest.fixture
def rabbit(broker: RabbitMQ) -> str:
    """The AMQP_URI of an empty virtual host, for this test alone."""
    return broker.vhost()


@pytest.fixture(scope='session')
def redis_process() -> Iterator[RedisServer]:
    """A Redis of this run, started for the first test that needs it; no test stops it."""
    with tempfile.TemporaryDirectory(prefix='redis-') as folder, RedisServer(Path(folder)) as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may stop."""
    with tempfile.TemporaryDirectory(prefix='redis-') as folder, RedisServer(Path(folder)) as server:
        yield server
