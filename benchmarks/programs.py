"""Starts the source, a Redis and one client after the other, and reads what each says of itself.

Every client is a process of its own, started anew for each run, with a source started anew: nobody profits
from what somebody else has left.
"""

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.fakes import fake
from benchmarks.observer import observe
from benchmarks.patterns import Pattern
from benchmarks.source import HOLDING, channels_of

__all__ = ['Failed', 'Programs', 'commands']

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / 'clients'
NODE_MODULES = ROOT / 'tests' / 'interop' / 'node_modules'

# Seconds that one run of one client may take.
LIMIT = 180.0

WITH_REDIS = ('ours_service', 'ours_batches')
IN_NODE = ('cometd', 'faye')


class Failed(Exception):
    """A client did not do what it should; the text is what it said."""


def commands(client: str) -> list[str]:
    """What runs a client, up to its argument."""
    if client == 'fake':
        return [sys.executable, '-W', 'ignore', '-m', 'benchmarks.held_polls', '--json']
    if client in IN_NODE:
        return ['node', str(FOLDER / f'{client}.js')]
    return [sys.executable, '-W', 'ignore', '-m', f'benchmarks.clients.{client}']


@contextmanager
def child(
    command: Sequence[str], *, pass_fds: Sequence[int] = (), **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, and with this process."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'NODE_PATH': str(NODE_MODULES)}
    with subprocess.Popen(
        ['setpriv', '--pdeathsig', 'KILL', *command],
        cwd=ROOT,
        env=environment,
        text=True,
        pass_fds=pass_fds,
        **options,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


class Source:
    """The source of a pattern, while it runs.

    Attributes:
        url: the Bayeux URL.
    """

    def __init__(self, process: subprocess.Popen[str], pattern: Pattern) -> None:
        # It says its address when everything is rendered.
        address = self._line(process)
        if not address.startswith('http'):
            raise Failed(f'the source of {pattern.name}: {address}\n{process.communicate()[1]}')
        self.url = f'{address}/cometd/67.0'
        self._process = process

    def wait_for_hold(self, client: subprocess.Popen[str]) -> bool:
        """Wait until the poll that is held long has come; False: source or client have ended before."""
        while not select.select([self._process.stderr], [], [], 0.1)[0]:
            if client.poll() is not None:
                return False
        return self._line(self._process) == HOLDING

    @staticmethod
    def _line(process: subprocess.Popen[str]) -> str:
        assert process.stderr is not None
        return process.stderr.readline().strip()


@contextmanager
def source(pattern: Pattern, *, is_quick: bool) -> Iterator[Source]:
    """Started, with everything rendered."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        command = [sys.executable, '-m', 'benchmarks.source', pattern.name, '--fd', str(listener.fileno())]
        command += ['--quick'] if is_quick else []
        with child(command, pass_fds=[listener.fileno()], stderr=subprocess.PIPE) as process:
            yield Source(process, pattern)


class Programs:
    """All that runs while the clients do. Entered once; Redis is started when the first client needs it."""

    def __init__(self, *, is_quick: bool, wrap: Sequence[str] = ()) -> None:
        self._is_quick = is_quick
        self._wrap = list(wrap)
        self._stack = ExitStack()
        self._redis: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def redis_uri(self) -> str:
        """Of an empty Redis."""
        if self._redis is None:
            from tests.services.redis_server import RedisServer

            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix='bench-'))
            self._redis = self._stack.enter_context(RedisServer(Path(folder)))
        with self._redis.client() as client:
            client.flushall()
            client.config_resetstat()
        return str(self._redis.uri)

    def run(self, client: str, pattern: Pattern) -> dict[str, Any]:
        """One run of one client.

        Raises:
            Failed: it ended without a result, or took too long.
        """
        if client == 'fake':
            return self._result(client, pattern, [*commands(client), '--clients', str(pattern.events)])
        if pattern.fake:
            with fake(pattern) as url:
                return self._result(client, pattern, self._command(client, pattern, url))
        with source(pattern, is_quick=self._is_quick) as served:
            return self._result(client, pattern, self._command(client, pattern, served.url), served)

    def _command(self, client: str, pattern: Pattern, url: str) -> list[str]:
        what: dict[str, Any] = {
            'url': url,
            'channels': channels_of(pattern),
            'warm': pattern.warm,
            'events': pattern.events,
            'timed': bool(pattern.pause),
            'slow': pattern.slow,
            'batch': min(100, pattern.per_response),
        }
        if client in WITH_REDIS:
            what['redis'] = self.redis_uri()
        return [*self._wrap, *commands(client), json.dumps(what)]

    def _result(
        self, client: str, pattern: Pattern, command: Sequence[str], served: Source | None = None
    ) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        with child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            if pattern.hold and served is not None and served.wait_for_hold(process):
                seen = observe(process.pid, pattern.hold)
            try:
                out, err = process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                raise Failed(f'{client} with {pattern.name}: no result within {LIMIT:g} s') from None
        lines = [line for line in out.splitlines() if line.startswith('{')]
        if not lines:
            raise Failed(f'{client} with {pattern.name}: status {process.returncode}\n{err[-3000:]}')
        return {'client': client, 'pattern': pattern.name, **json.loads(lines[-1]), **seen}
