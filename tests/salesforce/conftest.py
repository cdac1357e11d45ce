"""Parts of an account, without Nameko. The process is monkey-patched as under `nameko run`.

requests is green only there, and what several workers do to one session is what these tests are about.
"""

import eventlet

eventlet.monkey_patch()

import pytest  # noqa: E402

from tests.bayeux.sockets.raw_server import RawServer  # noqa: E402


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
