"""The process of a fake server: how it starts, where it listens, how it ends. Standard library only."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO
from urllib.parse import urlsplit

__all__ = ['ServerProcess']

START_S = 30.0  # an interpreter and aiohttp, on a busy machine
STOP_S = 10.0


class ServerProcess:
    """A server in a process of its own; the address stays when it is stopped and started again.

    Args:
        arguments: options of `fake-salesforce`.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes]
        self._release_port: Callable[[], object] = lambda: None
        self._base_url = self._endpoint = ''
        self._profile: list[str] = []

    def start(self) -> None:
        """Start the process; does nothing if it runs. After a stop it listens on the same port again.

        It is the kind of server that it was before, whatever `reset` made it.

        Raises:
            RuntimeError: it ended at once or did not come up in time; the message holds what it printed.
        """
        if self.running:
            return
        port = urlsplit(self._base_url).port or 0
        package = __name__.rpartition('.')[0]
        command = [sys.executable, '-P', '-m', package, '--port', str(port), '--until-stdin-closes']
        # A file instead of a pipe: reading a pipe would block the other green threads of this process.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the process
        self._process = subprocess.Popen(
            [*command, *self._arguments, *self._profile],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
        )
        deadline = time.monotonic() + START_S
        while not (found := re.search(r'(https?://[^/\s]+)(/cometd\S*)\n', self._printed())):
            ended = self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                text = self._printed().strip() or 'it printed nothing'
                self.kill()
                raise RuntimeError(f'the fake server did not start: {text}')
            time.sleep(0.01)
        self._base_url, self._endpoint = found[1], found[2]
        self._release_port()

    def stop(self) -> None:
        """End the process as SIGTERM does. Does nothing if it does not run.

        Raises:
            RuntimeError: the server had an error of its own, as opposed to one it was asked for.
        """
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
                printed = self._printed()
            finally:
                self.kill()
            if 'Traceback' in printed:
                raise RuntimeError(f'the fake server had an error of its own:\n{printed}')

    def kill(self) -> None:
        """End the process as SIGKILL does: a crash. Does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(STOP_S)
            self._hold_port()
            if process.stdin is not None:
                process.stdin.close()
            self._output.close()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the running process.

        Raises:
            RuntimeError: it does not run.
        """
        if self._process is None:
            raise RuntimeError('the fake server does not run')
        return self._process.pid

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._base_url

    @property
    def url(self) -> str:
        """The CometD endpoint: `http://127.0.0.1:PORT/cometd/67.0`; a plain server's has no version."""
        return f'{self._base_url}{self._endpoint}'

    def _hold_port(self) -> None:
        """Until the next start nobody else on the machine is given the port; connections are refused."""
        address = urlsplit(self._base_url)
        self._release_port()
        if sys.platform != 'linux' or address.port is None:
            return
        # Linux lets the next process bind it beside us, as both mark it for reuse and we do not listen.
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            held.bind((address.hostname, address.port))
        self._release_port = weakref.finalize(self, held.close)

    def _printed(self) -> str:
        # By position: the process shares the file's offset with us.
        return os.pread(self._output.fileno(), 1_000_000, 0).decode(errors='replace')
