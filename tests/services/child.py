"""Servers of the tests' own: processes that end with the process that started them, on ports of their own."""

import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ['end_child', 'reserved_port', 'start_child']


def start_child(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Run a server in a folder; what it says goes to a file, its standard input is a pipe."""
    # `setpriv`: the kernel kills it when this process ends in whatever way.
    with log.open('ab') as output:
        return subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )


def end_child(process: subprocess.Popen[bytes]) -> None:
    """Nobody waits for an orderly end."""
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of the loopback that nobody is given meanwhile, except who asks for this very one.

    Linux lets sockets share an address that all mark for reuse, as Erlang's and Redis' do, until one listens.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(('127.0.0.1', 0))
        yield holder.getsockname()[1]
