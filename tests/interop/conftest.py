"""Programs and clients that end with their test, and the list of known differences at the end of the run."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nameko_salesforce.bayeux import Client, State
from tests.interop import ours
from tests.interop.differences import KNOWN_DIFFERENCES, OTHER_ANSWERS
from tests.interop.matrix import Matrix
from tests.interop.programs import TICK, Program, Server

MATRIX = pytest.StashKey[Matrix]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[MATRIX] = Matrix()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report: Any = yield
    row = item.get_closest_marker('row')
    if row is not None and (report.when == 'call' or report.failed):
        programs: dict[str, str] = getattr(item, 'callspec').params  # noqa: B009 - not of every item
        program = next(programs[each] for each in ('name', 'kind', 'cometd') if each in programs)
        ours = 'client' if 'our_client' in item.nodeid else 'fake'
        item.config.stash[MATRIX].add(row.args[0], ours, program, report.passed)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    lines = list(config.stash[MATRIX].lines())
    if lines:
        terminalreporter.section('matrix')
        for line in lines:
            terminalreporter.write_line(line)
    terminalreporter.section("known differences of other people's programs")
    terminalreporter.write_line(f'{len(KNOWN_DIFFERENCES)} of programs:')
    for each in KNOWN_DIFFERENCES:
        terminalreporter.write_line(f'{each.program}: {each.what}')
        terminalreporter.write_line(f'    because {each.why}')
    for scenario, why in OTHER_ANSWERS.items():
        terminalreporter.write_line(f'answers of CometD for Node, {scenario}: {why}')


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--java', action='store_true', help='judge by the programs in Java, not by those in Node'
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each server (`name`) or client (`kind`) in turn; and the CometD project's (`cometd`)."""
    java = metafunc.config.getoption('--java')
    programs = {'name': ('cometd', 'faye'), 'kind': ('cometd', 'faye'), 'cometd': ('cometd',)}
    for argument, names in programs.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, ('java',) if java else names)


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
    """Start a server: 'cometd', 'faye' or 'java'; by default it holds a connect beyond any test's end."""

    def start(name: str, **options: Any) -> Server:
        script = 'CometdServer' if name == 'java' else f'{name}_server.js'
        server = Server(script, **{'timeout': 60_000, **options})
        server.name = name
        start_program(server)
        return server

    return start


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
