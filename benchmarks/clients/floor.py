"""The least that a Nameko service can do: the reference loop on a green socket, an empty worker an event.

A real container with its pool of ten workers, and one entrypoint; no order, no tracking, no positions.
"""

import eventlet

eventlet.monkey_patch()

from nameko.extensions import Entrypoint  # noqa: E402

from benchmarks.clients.meter import Meter, task  # noqa: E402
from benchmarks.clients.reference import open_session  # noqa: E402
from benchmarks.clients.services import SERVICE, Finished, run  # noqa: E402

WHAT = task()
FINISHED = Finished()
METER = Meter(WHAT, FINISHED.tell)


class Poller(Entrypoint):
    """Polls for ever; each event is a worker."""

    def start(self):
        self.container.spawn_managed_thread(self.run, identifier='poller')

    def run(self):
        poll = open_session(WHAT)
        while True:
            for message in poll():
                if 'data' in message:
                    self.container.spawn_worker(self, (message['data'],), {})


poller = Poller.decorator


class Service:
    name = SERVICE

    @poller
    def handle(self, event):
        METER.event(event)


def main():
    container = run(Service, {}, FINISHED)
    METER.report()
    container.kill()


if __name__ == '__main__':
    main()
