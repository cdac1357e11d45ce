"""For the edges: waiting for facts."""

import os

import eventlet
import pytest

# Seconds that a test waits for a fact.
PATIENCE = 10.0 * float(os.environ.get('TIME_FACTOR', '1'))


@pytest.fixture
def until():
    """`until(what, condition)` waits for a fact."""

    def wait(what, condition):
        with eventlet.Timeout(PATIENCE, AssertionError(f'waited {PATIENCE:g} s for {what}')):
            while not condition():
                eventlet.sleep(0.002)

    return wait
