"""The fake as the second server: it publishes events in small groups, as time goes by.

Unlike the source it renders what it sends, and what comes in one response depends on when the client asks; so
its figures are for looking at, and no target is judged by them.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fake_salesforce.client import FakeServer, NotHappened

from benchmarks.patterns import Pattern
from benchmarks.source import channels_of, make_events

__all__ = ['fake']

# Seconds between two groups.
DISTANCE = 0.01

# Seconds that a client may take to subscribe.
PATIENCE = 30.0


@contextmanager
def fake(pattern: Pattern) -> Iterator[str]:
    """The Bayeux URL of a plain CometD server, which publishes as soon as all channels are subscribed to."""
    messages = [json.loads(each) for each in make_events(pattern)]
    groups = [messages[first:behind] for first, behind in pattern.responses()]
    server = FakeServer(['--profile', 'vanilla'])
    server.start()
    over = threading.Event()

    def publish() -> None:
        try:
            server.wait_for_subscriptions(*channels_of(pattern), timeout=PATIENCE)
            for group in groups:
                if over.is_set():
                    return
                server.publish_many([(each['channel'], each['data']) for each in group])
                time.sleep(DISTANCE)
        except (NotHappened, OSError):
            return  # the client says what it missed

    publisher = threading.Thread(target=publish, daemon=True)
    publisher.start()
    try:
        # By name: aiohttp's clients keep no cookies of an address, and CometD's servers know them by one.
        yield server.url.replace('127.0.0.1', 'localhost')
    finally:
        over.set()
        server.stop()
        publisher.join()
