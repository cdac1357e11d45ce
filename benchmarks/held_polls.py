"""How much a held poll costs the fake server, and how long one broadcast takes to reach all of them.

    python benchmarks/held_polls.py [--clients 2000] [--events 1]

Memory is the resident size of the server process before the first client and while all polls are held,
divided by the number of clients: session, connection and some ten journal entries each. The sockets'
kernel buffers are not in it. The time runs from the moment the event is published until the last client
has read its whole answer; the clients are one process on the same machine and take part of the processor
themselves. Status 1 if a client did not get the event.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fake_salesforce.client import FakeServer

DEADLINE_S = 120.0


class Client:
    """Raw HTTP on one connection; a poll per connection is all that is measured."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._cookie = ''
        self.client_id = ''

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        reply = await self.ask(
            {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}
        )
        self.client_id = reply[0]['clientId']
        await self.ask(self._message('/meta/connect', connectionType='long-polling'))
        await self.ask(self._message('/meta/subscribe', subscription='/bench'))

    async def poll(self) -> int:
        """Hold a connect until it is answered; returns the number of events in the answer."""
        self.send(self._message('/meta/connect', connectionType='long-polling'))
        return sum('data' in message for message in await self.read())

    async def ask(self, message: dict) -> list:
        self.send(message)
        return await self.read()

    def send(self, message: dict) -> None:
        body = json.dumps([message]).encode()
        head = f'POST /cometd HTTP/1.1\r\nHost: {self._address[0]}\r\nContent-Type: application/json\r\n'
        cookie = f'Cookie: {self._cookie}\r\n' if self._cookie else ''
        self._writer.write(f'{head}{cookie}Content-Length: {len(body)}\r\n\r\n'.encode() + body)

    async def read(self) -> list:
        head = (await self._reader.readuntil(b'\r\n\r\n')).decode()
        length = 0
        for line in head.split('\r\n')[1:]:
            name, _, value = line.partition(': ')
            if name.lower() == 'content-length':
                length = int(value)
            if name.lower() == 'set-cookie':
                self._cookie = value.split(';')[0]
        return json.loads(await self._reader.readexactly(length))

    def close(self) -> None:
        self._writer.close()

    def _message(self, channel: str, **fields: str) -> dict:
        return {'channel': channel, 'clientId': self.client_id, **fields}


def resident_bytes(pid: int) -> int:
    with open(f'/proc/{pid}/statm') as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def threads(pid: int) -> int:
    with open(f'/proc/{pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('Threads:'))


async def measure(
    fake: FakeServer, count: int, events: int, say: Callable[[str], object]
) -> dict[str, float]:
    """Seconds of the broadcast, bytes a client, and how many clients the event has reached."""
    address = urlsplit(fake.url)
    pid = fake.pid
    before = resident_bytes(pid)
    clients = [Client(address.hostname, address.port) for _ in range(count)]
    started = time.perf_counter()
    for first in range(0, count, 100):
        await asyncio.gather(*(client.open() for client in clients[first : first + 100]))
    polls = [asyncio.ensure_future(client.poll()) for client in clients]
    await asyncio.to_thread(fake.wait_for, 'held', count=count, timeout=DEADLINE_S)
    say(f'{count} clients connected, subscribed and held after {time.perf_counter() - started:.2f} s')
    held = resident_bytes(pid)
    say(
        f'server: {before / 2**20:.1f} MiB before, {held / 2**20:.1f} MiB with all held,'
        f' {(held - before) / count / 1024:.1f} KiB a client, {threads(pid)} thread(s)'
    )
    batch = [('/bench', {'n': number}) for number in range(events)]
    started = time.perf_counter()
    publishing = asyncio.to_thread(fake.publish_many, batch)
    got, _ = await asyncio.gather(asyncio.wait(polls, timeout=DEADLINE_S), publishing)
    elapsed = time.perf_counter() - started
    # With several events at once, the first releases the poll and the rest wait for the next one.
    reached = sum(1 for poll in got[0] if poll.exception() is None and poll.result() > 0)
    say(f'one broadcast reached {reached} of {count} clients in {elapsed * 1000:.0f} ms')
    for poll in got[1]:
        poll.cancel()
    for client in clients:
        client.close()
    return {'broadcast': elapsed, 'held': (held - before) / count, 'reached': reached}


def main() -> int:
    parser = argparse.ArgumentParser(description='Measure held polls against the fake server.')
    parser.add_argument('--clients', type=int, default=2000)
    parser.add_argument('--events', type=int, default=1)
    parser.add_argument('--json', action='store_true', help='print figures alone: seconds and bytes')
    options = parser.parse_args()
    # Both processes need a descriptor a client; the server inherits the limit.
    needed = options.clients + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            print(f'the system allows {hard} open files, {needed} are needed', file=sys.stderr)
            return 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    fake = FakeServer(['--profile', 'vanilla', '--timeout', '600', '--setting', 'max_interval=600'])
    fake.start()
    try:
        say = print if not options.json else lambda line: None
        figures = asyncio.run(measure(fake, options.clients, options.events, say))
    finally:
        fake.stop()
    if options.json:
        print(json.dumps(figures))
    return 0 if figures['reached'] == options.clients else 1


if __name__ == '__main__':
    sys.exit(main())
