"""A RabbitMQ of the tests' own, and calls to services behind it.

    with RabbitMQ(folder) as broker:
        amqp_uri = broker.vhost()
        ... run a service with {'AMQP_URI': amqp_uri} ...
        call_rpc(amqp_uri, 'service', 'method', 1)

It touches no other broker of the machine: it has a folder, ports and a port mapper (epmd) of its own, listens
on the loopback alone, and ends with the process that started it. Everything here blocks, with a limit, and
works patched and unpatched, as root and as any other user.
"""

import os
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import eventlet
from amqp.exceptions import AMQPError
from kombu import Connection
from nameko.exceptions import RpcTimeout, UnknownService
from nameko.standalone import rpc

from tests.services.child import end_child, reserved_port, start_child

__all__ = ['RabbitMQ', 'call_rpc']

SLOWNESS = float(os.environ.get('TIME_FACTOR', '1'))

# Seconds: 5 on an idle machine with two cores; a virtual host takes 0.05.
START = 60.0 * SLOWNESS
ANSWER = 10.0 * SLOWNESS

# Seconds that one attempt to shake hands may take.
ATTEMPT = 2.0 * SLOWNESS

SHOWN_LINES = 40

# The command of the same name in the path insists on root or on the user `rabbitmq`.
PROGRAM = Path('/usr/lib/rabbitmq/bin/rabbitmq-server')

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
# Below this, publishers are held without a word; a full disk is not what these tests are about.
disk_free_limit.absolute = 1MB
"""


class RabbitMQ:
    """A broker in processes of its own, with a virtual host for each test."""

    def __init__(self, folder: Path) -> None:
        """The folder is empty; configuration, data and log go there, and stay when the broker has ended."""
        self._folder = folder
        self._log = folder / 'log'
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = 0
        self._vhosts = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def processes(self) -> list[int]:
        """The ids of its processes: the port mapper's and the broker's."""
        return [process.pid for process in self._processes]

    def vhost(self) -> str:
        """The AMQP_URI of a new, empty virtual host."""
        self._vhosts += 1
        name = f'test-{self._vhosts}'
        broker = self._processes[-1].stdin
        assert broker is not None
        # The broker's Erlang shell: at once, where `rabbitmqctl` takes a second or two of CPU.
        broker.write(
            f'rabbit_vhost:add(<<"{name}">>, <<"tests">>), rabbit_auth_backend_internal:set_permissions('
            f'<<"guest">>, <<"{name}">>, <<".*">>, <<".*">>, <<".*">>, <<"tests">>).\n'.encode()
        )
        broker.flush()
        uri = f'amqp://guest:guest@127.0.0.1:{self._port}/{name}'
        self._wait_for(uri, ANSWER)
        return uri

    # --- its processes ----------------------------------------------------------------------------

    def _start(self) -> None:
        if not PROGRAM.exists():
            raise RuntimeError(f'{PROGRAM} is missing: install the Debian package rabbitmq-server')
        with ExitStack() as reserved:
            self._port, mapper, distribution = (reserved.enter_context(reserved_port()) for _ in range(3))
            environment = self._environment(mapper, distribution)
            (self._folder / 'rabbitmq.conf').write_text(CONFIGURATION.format(port=self._port))
            (self._folder / 'enabled_plugins').write_text('[].')
            self._run(['epmd', '-port', str(mapper), '-address', '127.0.0.1'], environment)
            self._run([str(PROGRAM)], environment)
            self._wait_for(f'amqp://guest:guest@127.0.0.1:{self._port}//', START)

    def _environment(self, mapper: int, distribution: int) -> dict[str, str]:
        """What the processes are told; nothing of the machine's or the user's own broker."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(('RABBITMQ_', 'ERL_'))}
        files = {
            'HOME': '',  # the cookie
            'RABBITMQ_CONF_ENV_FILE': 'rabbitmq-env.conf',  # absent, as are the next two
            'RABBITMQ_ADVANCED_CONFIG_FILE': 'advanced.config',
            'RABBITMQ_CONFIG_FILES': 'conf.d/*.conf',
            'RABBITMQ_CONFIG_FILE': 'rabbitmq.conf',
            'RABBITMQ_ENABLED_PLUGINS_FILE': 'enabled_plugins',
            'RABBITMQ_MNESIA_BASE': 'data',
            'RABBITMQ_LOG_BASE': 'logs',
        }
        return {
            **own,
            **{key: str(self._folder / name) for key, name in files.items()},
            'ERL_EPMD_PORT': str(mapper),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            'RABBITMQ_NODENAME': f'tests-{self._port}@localhost',
            'RABBITMQ_DIST_PORT': str(distribution),
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '-kernel inet_dist_use_interface {127,0,0,1}',
            'RABBITMQ_LOGS': '-',
            # A shell on standard input, see `vhost`; and the script becomes the broker instead of its parent.
            'RABBITMQ_ALLOW_INPUT': 'true',
        }

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        self._processes.append(
            start_child(command, folder=self._folder, log=self._log, environment=environment)
        )

    def _end(self) -> None:
        """What the broker kept is worth nothing."""
        while self._processes:
            end_child(self._processes.pop())

    def _wait_for(self, uri: str, patience: float) -> None:
        """Until a connection to this virtual host is opened.

        Raises:
            RuntimeError: it was not, in time or ever; with the end of the broker's log.
        """
        end = time.monotonic() + patience
        while (problem := refusal(uri)) is not None:
            ended = any(process.poll() is not None for process in self._processes)
            if ended or time.monotonic() > end:
                why = 'a process has ended' if ended else f'waited {patience:g} s, {problem!r}'
                lines = '\n'.join(self._log.read_text(errors='replace').splitlines()[-SHOWN_LINES:])
                raise RuntimeError(f'RabbitMQ does not answer at {uri}: {why}. Its log:\n{lines}')
            time.sleep(0.02)


def refusal(amqp_uri: str) -> Exception | None:
    """Why a broker does not open a connection; None if it does."""
    try:
        with Connection(amqp_uri, connect_timeout=ATTEMPT) as connection:
            connection.transport.establish_connection().close()
    except (OSError, AMQPError) as problem:
        return problem
    return None


def call_rpc(amqp_uri: str, service: str, method: str, *args: Any, timeout: float = 10.0) -> Any:
    """What an `@rpc` method answers; a service that is still starting is waited for.

    Args:
        timeout: seconds for all of it. In a process that is not patched, a broker that goes away during the
            call is not noticed.
    Raises:
        TimeoutError: no broker, no such service, or no answer in time; the text says which.
        Exception: what Nameko raises where the method did.
    """
    end = time.monotonic() + timeout
    missing = 'a broker'
    with suppress(RpcTimeout), eventlet.Timeout(timeout, False):
        while refusal(amqp_uri) is not None:
            pause(end)
        with client(amqp_uri, service, timeout) as proxy:
            missing = 'an answer'
            while True:
                try:
                    return getattr(proxy, method)(*args)
                except UnknownService:
                    # The time may be over in the middle of the next attempt, which then tells nothing.
                    missing = 'such a service, or its answer'
                    pause(end)
    raise TimeoutError(f'{service}.{method} at {amqp_uri}: waited {timeout:g} s for {missing}')


def pause(end: float) -> None:
    """Before the next attempt, if there is time for one."""
    if time.monotonic() > end:
        raise RpcTimeout()
    time.sleep(0.05)


def client(amqp_uri: str, service: str, timeout: float) -> Any:
    """Nameko's own, of either version."""
    if hasattr(rpc, 'ServiceRpcClient'):
        return rpc.ServiceRpcClient(service, timeout=timeout, uri=amqp_uri)
    return rpc.ServiceRpcProxy(service, {'AMQP_URI': amqp_uri}, timeout=timeout)
