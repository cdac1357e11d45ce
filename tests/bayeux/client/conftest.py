"""Clients against the fake server over real sockets, in a process that is not monkey-patched."""

import gc
import os
import time
import traceback

import eventlet
import eventlet.patcher
import greenlet
import pytest

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.options import SessionOptions

# One beat of a test, in seconds; a slow machine sets TICK_FACTOR. Deadlines are multiples of it.
TICK = 0.05 * float(os.environ.get('TICK_FACTOR', '1'))

# Everything ten times faster than a user would have it, but for what the test is about.
QUICK = {
    'backoff': Backoff(first=TICK, cap=4 * TICK, spread=0.0),
    'handshake_distance': TICK,
    'network_allowance': 20 * TICK,
    'disconnect_timeout': 10 * TICK,
}


def until(condition, what, beats=200):
    """Give way until `condition()` holds; what it gave. Fails after `beats` with `what` was missing."""
    deadline = time.monotonic() + beats * TICK
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f'waited {beats * TICK:g} s for {what}'
        eventlet.sleep(TICK / 5)


def sockets():
    found = []
    for number in os.listdir('/proc/self/fd'):
        try:
            target = os.readlink(f'/proc/self/fd/{number}')
        except OSError:
            continue
        if target.startswith('socket:'):
            found.append(number)
    return sorted(found)


def green_threads():
    """Green threads that are alive, and where each of them stands."""
    alive = [each for each in gc.get_objects() if isinstance(each, eventlet.greenthread.GreenThread) and each]
    return {each: ''.join(traceback.format_stack(each.gr_frame)[-4:]) for each in alive}


@pytest.fixture
def fake(fake_cometd):
    """The fake; its process and pipes are there before a test counts descriptors."""
    return fake_cometd


@pytest.fixture
def make_client(fake, caplog):
    """`make_client(ack=True, ...)` -> a started client with quick timing; nothing of it may survive.

    Nor may it have met a bug of its own, which it survives by beginning anew: a test that provokes one
    ends with `caplog.clear()`.
    """
    assert not eventlet.patcher.is_monkey_patched('socket')
    assert isinstance(greenlet.getcurrent(), greenlet.greenlet)
    before, threads_before = sockets(), green_threads()
    clients = []

    def make(url=None, start=True, client=None, **options):
        made = Client(url or fake.url, session=SessionOptions(**{**QUICK, **options}), **(client or {}))
        clients.append(made)
        if start:
            made.start()
        return made

    yield make
    for each in clients:
        each.kill()
    eventlet.sleep(0)
    eventlet.sleep(0)
    survivors = [where for thread, where in green_threads().items() if thread not in threads_before]
    assert not survivors, '\n'.join(survivors)
    fake.start()  # while it is down its port is held, by a socket of this process
    assert sockets() == before
    assert [each.getMessage() for each in caplog.get_records('call') if 'from within' in each.msg] == []
