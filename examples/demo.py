"""`make demo`: run the service of contacts.py against the bundled fake org and show what it handles.

No account, no broker, no database; everything is a process on this machine and has ended when it returns.
"""

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fake_salesforce.client import FakeServer, NotHappened, start_fake
from fake_salesforce.people import Person

HERE = Path(__file__).parent

# Seconds: what an interpreter, Nameko and a subscription may take on a slow machine; what an event may.
START = 30.0
PATIENCE = 10.0

CONTACTS = [
    {'FirstName': 'Grace', 'LastName': 'Hopper'},
    {'FirstName': 'Alan', 'LastName': 'Turing'},
]


class Failed(Exception):
    """The demo did not go as it should; the text says how."""


class Service:
    """`nameko run contacts`, and the lines that it prints."""

    def __init__(self, login_url: str) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the process
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name('nameko'), 'run', 'contacts', '--config', 'config.yaml'],
            cwd=HERE,
            # Leaves no file behind: the next demo has another org.
            env={**os.environ, 'LOGIN_URL': login_url, 'REPLAY_STORE_URI': 'memory://'},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def line(self, until: float) -> str | None:
        """The next line, None if there is none in time."""
        try:
            return self._lines.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return None

    def terminate(self) -> int:
        """Send SIGTERM; returns the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failed(f'the service did not end within {PATIENCE:g} s of SIGTERM') from None

    def end(self) -> None:
        """Whatever happened, leave no process."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def log(self) -> str:
        """What it wrote to standard error."""
        self._log.seek(0)
        return self._log.read().decode(errors='replace')

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip('\n'))


@contextmanager
def running(server: FakeServer) -> Iterator[Service]:
    """The service, subscribed, as long as the context lasts; where that fails, its log is shown."""
    service = Service(server.base_url)
    try:
        try:
            server.wait_for('reply', channel='/meta/subscribe', successful=True, timeout=START)
        except NotHappened:
            raise Failed(f'the service did not subscribe within {START:g} s') from None
        yield service
    except Failed:
        print(f'\nThe log of the service:\n{service.log()}', file=sys.stderr)
        raise
    finally:
        service.end()


def demo() -> None:
    """Run it all. Raises `Failed`."""
    with start_fake() as org:
        print(f'A fake Salesforce org listens at {org.base_url}.')
        with running(org) as service:
            print('`nameko run contacts` runs examples/contacts.py: it has logged in, declared the PushTopic')
            print('"Contact" and subscribed to /topic/Contact.\n')
            ada = org.person('ada@example.com')
            print('Ada creates contacts, over REST:')
            created = []
            for contact in CONTACTS:
                created.append(ada.create('Contact', **contact))
                print(f'    {contact}')
            print('\nHandled by the service, which prints:')
            expected = [f'created: {each["FirstName"]} {each["LastName"]}' for each in CONTACTS]
            until = time.monotonic() + PATIENCE
            while expected:
                line = service.line(until)
                if line is None:
                    raise Failed(f'an event was not handled within {PATIENCE:g} s: {expected[0]}')
                print(f'    {line}')
                if line in expected:
                    expected.remove(line)
            print('\nIt has greeted them, and is not told of what it changed itself:')
            for contact_id in created:
                print(f'    Description: {description(ada, contact_id)!r}')
            status = service.terminate()
            if status != 0:
                raise Failed(f'the service ended with status {status}')
            print('\nThe service got SIGTERM, said goodbye to the org and ended with status 0.')
    print(NEXT)


def description(person: Person, contact_id: str) -> str:
    """What the service has written; the line that it prints comes before. Raises `Failed`."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        text = person.read('Contact', contact_id).get('Description')
        if text:
            return str(text)
        time.sleep(0.05)
    raise Failed(f'the contact was not greeted within {PATIENCE:g} s')


NEXT = """
Next: read examples/contacts.py, then try it by hand in three terminals:
    make fake
    cd examples && ../.venv/bin/nameko run contacts --config config.yaml
    the commands with curl in docs/fake-server.md"""


def main() -> int:
    """Returns the exit status."""
    try:
        demo()
    except (Failed, RuntimeError) as problem:  # RuntimeError: the fake server did not start
        print(f'The demo failed: {problem}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
