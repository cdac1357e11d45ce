"""What the work of a channel costs for each event, next to the least that can be done with it.

    python benchmarks/channel_work.py [EVENTS]

Prints microseconds of CPU for each event: from `arrived` over `next` to `ended`, in responses of 100 events,
ten runs at a time; and for a backlog of 100,000 that all wait, as one batch handler and one by one.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Ended
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.work import ChannelWork

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
RESPONSE = 100
SLOTS = 10
BEST_OF = 5


def notification(number: int) -> Delivery:
    return Delivery(
        '/topic/Contacts',
        {
            'event': {'createdDate': '2026-03-29T16:40:08.208Z', 'replayId': number, 'type': 'updated'},
            'sobject': {'Id': f'003D{number % 5000:011d}IAA', 'Name': 'Ada'},
        },
    )


def change(number: int) -> Delivery:
    header = {
        'recordIds': [f'003D{number % 5000:011d}IAA'],
        'changeType': 'UPDATE',
        'commitTimestamp': 1501010206653,
    }
    return Delivery(
        '/data/ContactChangeEvent',
        {'payload': {'ChangeEventHeader': header}, 'event': {'replayId': number}},
    )


def raw(events: list[Delivery]) -> None:
    """The least: a queue, and each event looked at once."""
    queue: list[Delivery] = []
    for start in range(0, len(events), RESPONSE):
        for event in events[start : start + RESPONSE]:
            queue.append(event)
        for event in queue:
            event.data.get('event')
        queue.clear()


def stream(options: HandlerOptions) -> Callable[[list[Delivery]], None]:
    def run(events: list[Delivery]) -> None:
        work = ChannelWork([options], None, lambda: 0.5)
        for start in range(0, len(events), RESPONSE):
            work.arrived(events[start : start + RESPONSE], 0.0)
            drain(work)

    return run


def backlog(options: HandlerOptions) -> Callable[[list[Delivery]], None]:
    def run(events: list[Delivery]) -> None:
        work = ChannelWork([options], None, lambda: 0.5)
        work.arrived(events, 0.0)
        drain(work)

    return run


def drain(work: ChannelWork) -> None:
    while True:
        runs = []
        while len(runs) < SLOTS and (run := work.next(1.0)) is not None:
            runs.append(run)
        if not runs:
            break
        for run in runs:
            work.ended(run, Ended.HANDLED, 1.0)
        work.moved()
    assert not work.unfinished


def measure(name: str, how: Callable[[list[Delivery]], None], events: list[Delivery]) -> None:
    times = []
    for _ in range(BEST_OF):
        begun = time.process_time()
        how(events)
        times.append(time.process_time() - begun)
    print(f'{name:<44} {min(times) / len(events) * 1e6:6.2f} us')


def main() -> None:
    plain = HandlerOptions(name='handle')
    notifications = [notification(number) for number in range(EVENTS)]
    measure('the least: queue and look', raw, notifications)
    measure('notifications, order by record', stream(plain), notifications)
    measure('notifications, order by channel', stream(replace(plain, order=Order.CHANNEL)), notifications)
    measure('notifications, no order', stream(replace(plain, order=Order.NONE)), notifications)
    measure('notifications, batches of 100', stream(replace(plain, batch=100)), notifications)
    measure('change events, order by record', stream(plain), [change(number) for number in range(EVENTS)])
    measure('backlog, order by record', backlog(plain), notifications)
    measure('backlog, order by channel', backlog(replace(plain, order=Order.CHANNEL)), notifications)
    measure('backlog, batches of 500', backlog(replace(plain, batch=500)), notifications)


if __name__ == '__main__':
    main()
