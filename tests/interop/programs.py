"""Other people's programs, each in a process of its own, and what they said.

They print facts as JSON lines into a file: reading a pipe would stop the green threads of our client,
which share this process, and a pipe that nobody reads would stop the program. Waiting is for facts,
with a deadline that names what was missing.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import eventlet

__all__ = ['SECONDS', 'TICK', 'Exchange', 'Program', 'Server', 'wait_until']

# Unit of all timeouts here, in seconds; a slow machine sets BAYEUX_TICK higher.
TICK = float(os.environ.get('BAYEUX_TICK', '0.05'))
# How long anything may take that is expected to happen.
SECONDS = 400 * TICK
SHOWN_LINES = 25
HERE = Path(__file__).parent
JAVA = HERE / 'java' / 'target'
# faye's client would take a proxy from the environment even for loopback.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.lower().endswith('_proxy')}


def wait_until(fact: Callable[[], Any], what: str) -> Any:
    """Let green threads run until `fact()` is true and return it; fail with `what` when it does not come."""
    end = time.monotonic() + SECONDS
    while not (found := fact()):
        assert time.monotonic() < end, f'not seen within {SECONDS:g} s: {what}'
        eventlet.sleep(0.002)
    return found


def _command(script: str) -> list[str]:
    if script.endswith('.js'):
        return ['node', str(HERE / script)]
    classes = f'{JAVA / "classes"}:{JAVA / "libraries"}/*'
    # Quick to start rather than quick later.
    return ['java', '-XX:TieredStopAtLevel=1', '-cp', classes, f'interop.{script}']


class Program:
    """One of the programs beside this file.

    Args:
        script: its file name, or the name of its class where it is in Java.
        **options: handed to it as JSON.
    """

    def __init__(self, script: str, **options: Any) -> None:
        self._script = script
        self.options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = 0

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process; its facts begin anew."""
        self.facts: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._read_to = 0
        self._rest = b''
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [*_command(self._script), json.dumps(self.options)],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            env=ENVIRONMENT,
        )

    def kill(self) -> None:
        """End the process as a crash does. Does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(SECONDS)
            assert process.stdin is not None
            process.stdin.close()
            self._read()
            self._output.close()

    # --- facts -----------------------------------------------------------------------------------

    def find(self, fact: str, **fields: Any) -> list[dict[str, Any]]:
        """The facts of this kind with these fields, oldest first."""
        if self._process is not None:
            self._read()
        return [
            each
            for each in self.facts
            if each['fact'] == fact and all(each.get(name) == value for name, value in fields.items())
        ]

    def wait_for(self, fact: str, *, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        """Wait for a number of facts and return all there are by then.

        Raises:
            AssertionError: they did not come; says what did.
        """
        end = time.monotonic() + SECONDS
        while len(found := self.find(fact, **fields)) < count:
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > end:
                raise AssertionError(
                    f'{self._script} {"has ended" if ended else "runs"}; of {count} {fact!r} with {fields} '
                    f'there came {len(found)}. It said:\n{self.said()}'
                )
            eventlet.sleep(0.002)
        return found

    def said(self) -> str:
        """The last lines, for people."""
        lines = [*(json.dumps(fact)[:300] for fact in self.facts[-SHOWN_LINES:]), *self._text[-SHOWN_LINES:]]
        return '\n'.join(f'  {line}' for line in lines) or '  (nothing)'

    def _read(self) -> None:
        # By position: the process shares the file's offset with us.
        while piece := os.pread(self._output.fileno(), 1 << 20, self._read_to):
            self._read_to += len(piece)
            *lines, self._rest = (self._rest + piece).split(b'\n')
            for line in lines:
                try:
                    self.facts.append(json.loads(line))
                except ValueError:
                    self._text.append(line.decode(errors='replace'))

    # --- commands --------------------------------------------------------------------------------

    def begin(self, command: str, **fields: Any) -> int:
        """Send a command and return its number at once; `finish` waits for it."""
        assert self._process is not None, f'{self._script} does not run'
        assert self._process.stdin is not None
        self._numbers += 1
        line = json.dumps({'number': self._numbers, 'command': command, **fields}) + '\n'
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        return self._numbers

    def finish(self, number: int) -> Any:
        """The result of a command.

        Raises:
            AssertionError: it failed, or did not end in time.
        """
        over = wait_until(
            lambda: self.find('done', number=number) or self.find('failed', number=number),
            f'{self._script} ends command {number}. It said:\n{self.said()}',
        )
        assert over[0]['fact'] == 'done', f'{self._script}: {over[0]["problem"]}'
        return over[0]['result']

    def ask(self, command: str, **fields: Any) -> Any:
        """Carry out a command and return its result."""
        return self.finish(self.begin(command, **fields))


@dataclass
class Exchange:
    """One HTTP exchange as the server saw it from outside of its Bayeux library.

    Attributes:
        began, ended: places in the order of all facts; `ended` is None while it is under way.
        began_at, ended_at: the same on the server's clock, in seconds.
    """

    began: int
    began_at: float
    requests: list[dict[str, Any]]
    ended: int | None = None
    ended_at: float | None = None
    status: int | None = None
    replies: list[dict[str, Any]] = field(default_factory=list)

    def is_for(self, channel: str) -> bool:
        """Whether one of its requests is for this channel."""
        return any(each['channel'] == channel for each in self.requests)


class Server(Program):
    """A Bayeux server; after a `restart` it listens where it listened before."""

    name = ''
    url = ''

    def start(self) -> None:
        super().start()
        listening = self.wait_for('listening')[0]
        self.url = listening['url']
        self.options['port'] = listening['port']

    def restart(self) -> None:
        """Crash and come back, without any memory."""
        self.kill()
        self.start()

    def exchanges(self, channel: str) -> list[Exchange]:
        """The exchanges that had a request for this channel, oldest first."""
        return [each for each in self._exchanges() if each.is_for(channel)]

    def held(self) -> list[Exchange]:
        """The connects that wait for their answer, but for those that asked for one at once."""
        return [
            each
            for each in self.exchanges('/meta/connect')
            if each.ended is None and each.requests[0].get('advice', {}).get('timeout') != 0
        ]

    def most_outstanding(self, channel: str) -> int:
        """The greatest number of exchanges for a channel that there ever were at one time."""
        outstanding = most = 0
        for _, change in sorted(self._changes(channel)):
            outstanding += change
            most = max(most, outstanding)
        return most

    def _changes(self, channel: str) -> Iterator[tuple[int, int]]:
        for each in self.exchanges(channel):
            yield each.began, 1
            if each.ended is not None:
                yield each.ended, -1

    def _exchanges(self) -> list[Exchange]:
        found: dict[int, Exchange] = {}
        self._read()
        for place, fact in enumerate(self.facts):
            if fact['fact'] == 'request':
                found[fact['exchange']] = Exchange(place, fact['at'] / 1000, fact['messages'])
            elif fact['fact'] == 'response' and fact['exchange'] in found:
                exchange = found[fact['exchange']]
                exchange.ended, exchange.ended_at = place, fact['at'] / 1000
                exchange.status = fact['status']
                exchange.replies = fact['messages'] if isinstance(fact['messages'], list) else []
        return list(found.values())
