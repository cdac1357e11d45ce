"""Servers of a test's own, byte by byte, and a place to look for secrets."""

import pytest

from tests.bayeux.sockets.raw_server import RawServer


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
