"""Servers and clients that end with their test, and the check that nothing else survives it."""

import os

import eventlet.hubs
import eventlet.patcher
import pytest

from tests.bayeux.sockets.raw_server import Client, RawServer


def descriptors():
    """Open descriptors and what they are."""
    found = {}
    for number in os.listdir('/proc/self/fd'):
        try:
            found[number] = os.readlink(f'/proc/self/fd/{number}')
        except OSError:
            # The one that listed the directory.
            continue
    return found


def pending():
    """Timers and waiting sockets of the hub."""
    hub = eventlet.hubs.get_hub()
    timers = [timer for _, timer in [*hub.timers, *hub.next_timers] if not timer.called]
    return [*timers, *hub.get_readers(), *hub.get_writers()]


@pytest.fixture(autouse=True)
def nothing_survives():
    """No descriptor, timer or waiting green thread is left behind by a test; the process is unpatched."""
    assert not eventlet.patcher.is_monkey_patched('socket')
    eventlet.hubs.get_hub()
    before = descriptors()
    yield
    # Green threads that were killed end in the hub's next turns.
    eventlet.sleep(0)
    eventlet.sleep(0)
    assert not pending()
    # No collection before: what only the collector would close stays open for an unknown time.
    assert descriptors() == before


@pytest.fixture
def serve(nothing_survives):
    """`serve(script, context=None)` -> a `RawServer`."""
    servers = []

    def start(script, context=None):
        servers.append(RawServer(script, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client(nothing_survives):
    """`client(url, headers=None, **options)` -> a `Client`."""
    clients = []

    def make(url, **options):
        clients.append(Client(url, **options))
        return clients[-1]

    yield make
    for made in clients:
        made.connection.close()
