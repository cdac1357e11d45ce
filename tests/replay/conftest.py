"""Stores and the committer, with a real Redis. The process is monkey-patched as under `nameko run`."""

import eventlet

eventlet.monkey_patch()

import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

from tests.services.redis_server import SLOWNESS, RedisServer  # noqa: E402

PATIENCE = 10.0 * SLOWNESS


@pytest.fixture(scope='session')
def redis_process():
    """A Redis of this run, started for the first test that needs it; no test stops or freezes it."""
    with tempfile.TemporaryDirectory(prefix='redis-') as folder, RedisServer(Path(folder)) as server:
        yield server


@pytest.fixture
def redis(redis_process):
    """An empty Redis."""
    with redis_process.client() as client:
        client.flushall()
    return redis_process


@pytest.fixture
def own_redis():
    """An empty Redis that a test may stop and freeze."""
    with tempfile.TemporaryDirectory(prefix='redis-') as folder, RedisServer(Path(folder)) as server:
        yield server


@pytest.fixture
def until():
    """`until(what, condition)` waits for a fact."""

    def wait(what, condition, patience=PATIENCE):
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f'waited {patience:g} s for {what}')
            eventlet.sleep(0.005)

    return wait
