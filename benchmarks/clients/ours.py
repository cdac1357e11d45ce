"""The Bayeux client of this library, without Nameko: a callback for each event."""

from typing import Any

import eventlet
from eventlet.event import Event

from benchmarks.clients.meter import Meter, task
from nameko_salesforce.bayeux.client import Client

# Every so many events a slow handler waits so many seconds: what arrives has to wait, too.
SLOW_EVERY = 100
SLOW_PAUSE = 0.002


def main() -> None:
    what = task()
    finished = Event()
    meter = Meter(what, lambda: finished.send(None))

    def handle(event: Any) -> None:
        meter.event(event.data)

    def handle_slowly(event: Any) -> None:
        meter.event(event.data)
        if meter.seen % SLOW_EVERY == 0:
            eventlet.sleep(SLOW_PAUSE)

    client = Client(what['url'])
    for channel in what['channels']:
        client.subscribe(channel, handle_slowly if what.get('slow') else handle)
    client.start()
    finished.wait()
    meter.report()
    client.kill()


if __name__ == '__main__':
    main()
