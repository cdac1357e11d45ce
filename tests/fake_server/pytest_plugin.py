"""The pytest fixtures `fake_salesforce` and `fake_cometd`: a handle on a fresh fake server.

This module is imported by every pytest run of every user who has the library installed. So it imports
nothing but pytest itself at the top, and starts nothing before a test asks for it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .client import FakeServer

__all__ = ['fake_cometd', 'fake_salesforce', 'fake_salesforce_process']


@pytest.fixture(scope='session')
def fake_salesforce_process() -> Iterator['FakeServer']:
    """One server process for the whole run. Tests ask for one of the fixtures below instead."""
    # Imported here, after the user's monkey patching, whenever that happened.
    from .client import FakeServer

    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def fake_salesforce(fake_salesforce_process: 'FakeServer') -> 'FakeServer':
    """A fake Salesforce in the state at start: no sessions, no events, no faults, an empty journal.

    See `fake_salesforce.client.FakeServer` for what it can do.
    """
    fake_salesforce_process.start()
    fake_salesforce_process.reset('salesforce')
    return fake_salesforce_process


@pytest.fixture
def fake_cometd(fake_salesforce_process: 'FakeServer') -> 'FakeServer':
    """A plain CometD server in the state at start. It is the same process: a test asks for one of the two."""
    fake_salesforce_process.start()
    fake_salesforce_process.reset('vanilla')
    return fake_salesforce_process
