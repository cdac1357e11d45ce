"""A Nameko service of this library: a worker for each event, order by record, tracking, positions in Redis.

All as it is by default. Positions are saved while events are handled; what the stop saves is not measured.
"""

import eventlet

eventlet.monkey_patch()

from benchmarks.clients.meter import Meter, task  # noqa: E402
from benchmarks.clients.services import SERVICE, Finished, run, saved, section  # noqa: E402
from nameko_salesforce.streaming import subscribe  # noqa: E402

# Every so many events a slow handler takes so many seconds; nine may at a time.
SLOW_EVERY = 100
SLOW_PAUSE = 0.01


def main() -> None:
    what = task()
    finished = Finished()
    meter = Meter(what, finished.tell)

    class Service:
        name = SERVICE

        def handle(self, topic, event):
            meter.event(event)
            if what.get('slow') and meter.seen % SLOW_EVERY == 0:
                eventlet.sleep(SLOW_PAUSE)

        for channel in what['channels']:
            handle = subscribe(channel)(handle)

    container = run(Service, section(what), finished)
    container.stop()
    meter.report(**saved(what))


if __name__ == '__main__':
    main()
