"""The same with batch handlers: a worker for up to `batch` events, tracking, positions in Redis."""

import eventlet

eventlet.monkey_patch()

from benchmarks.clients.meter import Meter, task  # noqa: E402
from benchmarks.clients.services import SERVICE, Finished, run, saved, section  # noqa: E402
from nameko_salesforce.streaming import subscribe  # noqa: E402

# Seconds that a slow handler takes for a batch.
SLOW_PAUSE = 0.02


def main() -> None:
    what = task()
    finished = Finished()
    meter = Meter(what, finished.tell)

    class Service:
        name = SERVICE

        def handle(self, topic, events):
            if what['timed']:
                for event in events:
                    meter.event(event)
            else:
                meter.events(len(events))
            if what.get('slow'):
                eventlet.sleep(SLOW_PAUSE)

        for channel in what['channels']:
            handle = subscribe(channel, batch=what['batch'])(handle)

    container = run(Service, section(what), finished)
    container.stop()
    meter.report(**saved(what))


if __name__ == '__main__':
    main()
