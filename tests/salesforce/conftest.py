"""Parts of an account, without Nameko. The process is monkey-patched as under `nameko run`.

requests is green only there, and what several workers do to one session is what these tests are about.
"""

import eventlet

eventlet.monkey_patch()

import pytest  # noqa: E402

from tests.bayeux.sockets.raw_server import RawServer  # noqa: E402
from tests.salesforce.peers import Account, Org  # noqa: E402


@pytest.fixture
def org():
    """An `Org`, which ends with the test."""
    org = Org()
    yield org
    org.server.close()


@pytest.fixture
def serve():
    """`serve(script, context=None)` -> a `RawServer`, which ends with the test."""
    servers = []

    def start(script, context=None):
        servers.append(RawServer(script, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def fake(fake_salesforce):
    return fake_salesforce


@pytest.fixture
def account(fake):
    """`account(**section)` -> an account of the fake."""
    made = []

    def make(**section):
        made.append(Account(fake, **section))
        return made[-1]

    yield make
    for each in made:
        each.close()
