"""Programs and clients that end with their test, and the list of known differences at the end of the run."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nameko_salesforce.bayeux import Client, State
from tests.interop import ours
from tests.interop.differences import KNOWN_DIFFERENCES, OTHER_ANSWERS
from tests.interop.programs import TICK, Program, Server


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("known differences of other people's programs")
    for each in KNOWN_DIFFERENCES:
        terminalreporter.write_line(f'{each.program}: {each.what}')
        terminalreporter.write_line(f'    because {each.why}')
    for scenario, why in OTHER_ANSWERS.items():
        terminalreporter.write_line(f'fake and cometd, {scenario}: {why}')


@pytest.fixture
def start_program() -> Iterator[Callable[..., Program]]:
    """Start a program that ends with the test."""
    programs: list[Program] = []

    def start(program: Program) -> Program:
        programs.append(program)
        program.start()
        return program

    yield start
    for program in programs:
        program.kill()


@pytest.fixture
def start_server(start_program: Callable[..., Program]) -> Callable[..., Server]:
    """Start a server by its name, 'cometd' or 'faye'; by default it holds a connect beyond any test's end."""

    def start(name: str, **options: Any) -> Server:
        server = Server(f'{name}_server.js', **{'timeout': 60_000, **options})
        server.name = name
        start_program(server)
        return server

    return start


@pytest.fixture(params=['cometd', 'faye'])
def name(request: pytest.FixtureRequest) -> str:
    """Each server in turn."""
    return request.param


@pytest.fixture
def server(name: str, start_server: Callable[..., Server]) -> Server:
    """Each server in turn, with its usual options."""
    return start_server(name)


@pytest.fixture
def begin() -> Iterator[Callable[..., Client]]:
    """Start one of our clients that ends with the test, without waiting for its connection."""
    clients: list[Client] = []

    def start(url: str, **options: Any) -> Client:
        client = Client(url, session=ours.options(**options))
        clients.append(client)
        client.start()
        return client

    yield start
    for client in clients:
        client.stop(timeout=20 * TICK)


@pytest.fixture
def connect(begin: Callable[..., Client]) -> Callable[..., Client]:
    """Start one of our clients that ends with the test, and wait until it is connected."""

    def start(url: str, **options: Any) -> Client:
        client = begin(url, **options)
        ours.wait_for_state(client, State.CONNECTED)
        return client

    return start
