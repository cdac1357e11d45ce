"""A Redis of the tests' own.

    with RedisServer(folder) as redis:
        ... use redis.uri, or redis.socket_uri; redis.freeze(), redis.thaw(), redis.end(), redis.start() ...

It touches no other Redis of the machine: it has a folder, a socket and a port of its own, listens on the
loopback alone, and ends with the process that started it. What it holds survives `end` and `start`.
Everything here blocks, with a limit, and works patched and unpatched.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError

from tests.services.child import end_child, reserved_port, start_child

__all__ = ['RedisServer']

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds: 0.05 on an idle machine.
START = 20.0 * SLOWNESS

SHOWN_LINES = 40


class RedisServer:
    """A server in a process of its own.

    Args:
        folder: empty; configuration, data and log go there, and stay when the server has ended. Its path is
            short, for a socket's may have 107 characters.
        tls: files with a certificate and its key; the port then speaks TLS, the socket does not.
    """

    def __init__(self, folder: Path, tls: tuple[Path, Path] | None = None) -> None:
        self._folder = folder
        self._tls = tls
        self._log = folder / 'log'
        self._process: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()
        self._port = 0

    def __enter__(self) -> Self:
        # Held also while the server is down, so that a test finds it again at the same address.
        self._port = self._held.enter_context(reserved_port())
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._held.close()

    @property
    def uri(self) -> str:
        """Of database 0."""
        return f'{"redis" if self._tls is None else "rediss"}://127.0.0.1:{self._port}/0'

    @property
    def socket_uri(self) -> str:
        return f'unix://{self._folder / "socket"}?db=0'

    @property
    def address(self) -> str:
        """Host and port, for a URI with whatever else."""
        return f'127.0.0.1:{self._port}'

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def client(self, **options: Any) -> Any:
        """A client of the test's own."""
        return Redis.from_url(self.socket_uri, decode_responses=True, socket_timeout=START, **options)

    def start(self) -> None:
        """Again, with what it held.

        Raises:
            RuntimeError: it did not begin to answer; with the end of its log.
        """
        if shutil.which('redis-server') is None:
            raise RuntimeError('redis-server is missing: install the Debian package of this name')
        settings = {
            'bind': '127.0.0.1',
            'port': str(self._port),
            'unixsocket': str(self._folder / 'socket'),
            'dir': str(self._folder),
            # Written before each reply, so that a kill loses nothing.
            'appendonly': 'yes',
            'appendfsync': 'no',
            'save': '',
        }
        if self._tls is not None:
            certificate, key = map(str, self._tls)
            settings |= {
                'port': '0',
                'tls-port': str(self._port),
                'tls-cert-file': certificate,
                'tls-key-file': key,
                'tls-auth-clients': 'no',
            }
        command = ['redis-server']
        for name, value in settings.items():
            command += [f'--{name}', value]
        self._process = start_child(command, folder=self._folder, log=self._log)
        self._wait(self._process)

    def end(self) -> None:
        """At once, frozen or not. Any number of times."""
        process, self._process = self._process, None
        if process is not None:
            end_child(process)

    def freeze(self) -> None:
        """It goes on accepting connections and bytes, as the kernel does that for it, and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START
        while True:
            try:
                with self.client() as client:
                    client.ping()
                    return
            except (RedisError, OSError) as problem:
                if process.poll() is not None or time.monotonic() > end:
                    lines = '\n'.join(self._log.read_text(errors='replace').splitlines()[-SHOWN_LINES:])
                    raise RuntimeError(f'Redis does not answer: {problem!r}. Its log:\n{lines}') from None
            time.sleep(0.01)
