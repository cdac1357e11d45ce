"""workers.py where Nameko starts no worker: the slot comes back, and the next event is taken."""

from nameko.testing.utils import get_extension

from nameko_salesforce.bayeux import subscribe
from nameko_salesforce.bayeux.extension import Subscribe
from nameko_salesforce.bayeux.workers import Workers


def test_a_container_that_is_being_killed_gets_no_work_and_no_complaint(world, monkeypatch):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)

    container = world.make(Service).container
    entrypoint = get_extension(container, Subscribe)
    workers = Workers(container, slots=1)
    with monkeypatch.context() as patch, world.bounded():
        # As between the first step of kill() and that of our entrypoint.
        patch.setattr(container, '_being_killed', True)
        workers.spawn(entrypoint, ('/a', 1), {})
        workers.spawn(entrypoint, ('/a', 2), {})
    assert seen == []


def test_a_service_that_cannot_be_made_costs_its_event_and_no_slot(world, server, log):
    log.expect_error('callback .* failed')
    seen = []
    failures = iter([ZeroDivisionError('no service today')])

    class Service:
        name = 'chat'

        def __init__(self):
            for failure in failures:
                raise failure

        @subscribe('/a')
        def handle(self, channel, data):
            seen.append(data)

    world.run(Service, max_workers=1)
    server.publish_many([('/a', 1), ('/a', 2)])
    world.until('the second event', lambda: seen)
    assert seen == [2]
