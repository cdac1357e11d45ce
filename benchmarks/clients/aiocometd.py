"""aiocometd, as its manual shows it: `async for message in client`. One task reads, and counts."""

import sys

# This file has the package's name; its folder must not be looked at first.
sys.path = [each for each in sys.path if not each.endswith('/clients')]

import asyncio  # noqa: E402

from benchmarks.clients import without_loop  # noqa: E402

without_loop.mend()

import aiocometd  # noqa: E402

from benchmarks.clients.meter import Meter, task  # noqa: E402


async def consume(client, what):
    """Subscribe, and take events until the last one was measured."""
    meter = Meter(what)
    async with client:
        for channel in what['channels']:
            await client.subscribe(channel)
        async for message in client:
            meter.event(message['data'])
            if meter.result:
                break
        meter.report()
        sys.stdout.flush()


async def main():
    what = task()
    client = aiocometd.Client(what['url'], connection_types=aiocometd.ConnectionType.LONG_POLLING)
    await consume(client, what)


if __name__ == '__main__':
    asyncio.run(main())
