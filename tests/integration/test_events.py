"""What a service is given: events, in which order, whatever its handlers do."""

import logging

import eventlet
import pytest
from nameko.testing.services import restrict_entrypoints
from nameko.testing.utils import get_extension
from nameko.utils import get_redacted_args

from nameko_salesforce.bayeux import subscribe
from nameko_salesforce.bayeux.extension import Subscribe


def test_a_handler_gets_the_concrete_channel_and_the_data(world, server):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/chat/**')
        def handle(self, channel, data):
            seen.append((channel, data))

    world.run(Service)
    server.publish('/chat/room/one', {'text': 'hello', 'n': [1, None, 'ü']})
    server.publish('/chat/two', 'plain text')
    server.publish('/other', 'not ours')
    server.publish('/chat/three', None)
    world.until('three events', lambda: len(seen) >= 3)
    assert seen == [
        ('/chat/room/one', {'text': 'hello', 'n': [1, None, 'ü']}),
        ('/chat/two', 'plain text'),
        ('/chat/three', None),
    ]


def test_a_wildcard_of_one_segment_matches_one_segment(world, server):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/chat/*')
        def handle(self, channel, data):
            seen.append(channel)

    world.run(Service)
    server.publish('/chat/a/b', 1)
    server.publish('/chat/a', 2)
    world.until('the event on /chat/a', lambda: seen)
    assert seen == ['/chat/a']


def test_all_decorators_of_a_service_share_one_session(world, server):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        @subscribe('/b')
        def first(self, channel, data):
            seen.append(('first', channel))

        @subscribe('/c/**')
        def second(self, channel, data):
            seen.append(('second', channel))

    world.run(Service)
    for channel in ('/a', '/b', '/c/d'):
        server.publish(channel, {})
    world.until('three events', lambda: len(seen) >= 3)
    assert seen == [('first', '/a'), ('first', '/b'), ('second', '/c/d')]
    assert len(server.journal('opened')) == 1


def test_two_entrypoints_on_one_channel_both_get_each_event_of_one_subscription(world, server):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def first(self, channel, data):
            seen.append(('first', data))

        @subscribe('/a')
        def second(self, channel, data):
            seen.append(('second', data))

    world.run(Service)
    server.publish('/a', 1)
    server.publish('/a', 2)
    world.until('two events for each of two handlers', lambda: len(seen) >= 4)
    assert sorted(seen) == [('first', 1), ('first', 2), ('second', 1), ('second', 2)]
    assert len(server.journal('request', channel='/meta/subscribe')) == 1


@pytest.mark.defect('D13')
def test_channels_are_subscribed_in_declared_order_at_each_start(world, server):
    class Base:
        @subscribe('/z')
        def last_by_name(self, channel, data): ...

    class Service(Base):
        name = 'chat'

        @subscribe('/y')
        def zebra(self, channel, data): ...

        @subscribe('/x')
        def ape(self, channel, data): ...

        @subscribe('/w')
        @subscribe('/v')
        def bear(self, channel, data): ...

    for _ in range(3):
        mark = server.mark()
        world.run(Service).end('stop')
        requests = server.journal('request', channel='/meta/subscribe', after=mark)
        assert [each.detail['subscription'] for each in requests] == ['/z', '/y', '/x', '/v', '/w']


@pytest.mark.defect('D2')
def test_a_failing_handler_is_logged_and_the_next_event_is_handled(world, server, log):
    log.expect_error('error handling worker .*: first')
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            if data == 'first':
                raise ValueError(data)
            seen.append(data)

    running = world.run(Service)
    server.publish('/a', 'first')
    server.publish('/a', 'second')
    world.until('the second event', lambda: seen)
    assert len(log.lines('error handling worker', logging.ERROR)) == 1
    running.end('stop')  # wait() would raise what had killed the container


@pytest.mark.defect('D2')
def test_a_handler_with_the_wrong_signature_leaves_the_service_alive(world, server, log):
    log.expect_error('error handling worker .* takes 2 positional arguments')
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def wrong(self, channel): ...

        @subscribe('/a')
        def right(self, channel, data):
            seen.append(data)

    running = world.run(Service)
    server.publish_many([('/a', 1), ('/a', 2)])
    world.until('both events', lambda: seen == [1, 2])
    running.end('stop')


@pytest.mark.defect('D2')
def test_an_expected_exception_is_logged_as_such(world, server, log):
    class Service:
        name = 'chat'

        @subscribe('/a', expected_exceptions=(KeyError, ZeroDivisionError))
        def handle(self, channel, data):
            raise ZeroDivisionError(data)

    world.run(Service)
    server.publish('/a', 'nothing')
    world.until('the record', lambda: log.lines(r'\(expected\) error handling worker .*: nothing'))


@pytest.mark.defect('D2')
def test_sensitive_arguments_can_be_redacted(world):
    class Service:
        name = 'chat'

        @subscribe('/a', sensitive_arguments='data.secret')
        def handle(self, channel, data): ...

    running = world.make(Service)
    entrypoint = get_extension(running.container, Subscribe)
    redacted = get_redacted_args(entrypoint, '/a', {'secret': 'x', 'open': 'y'})
    assert redacted['data']['open'] == 'y'
    assert redacted['data']['secret'] != 'x'


def test_an_option_that_nameko_does_not_know_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match='Subscribe of /a has no option replay'):
        subscribe('/a', replay=-2)(lambda self, channel, data: None)


@pytest.mark.defect('D7')
def test_a_full_pool_delays_no_poll_and_loses_no_event(world, server, gate):
    server.configure(timeout=0.5, max_interval=2.5)
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            gate.wait()
            seen.append(data)

    world.run(Service, max_workers=3)
    server.publish_many([('/a', number) for number in range(25)])
    world.until('the slots to be taken', lambda: gate.begun == 2)
    # Eight polls last longer than the session lives without one.
    server.wait_for('held', after=server.mark(), count=8)
    assert gate.begun == 2
    server.publish('/a', 25)
    gate.open()
    world.until('26 events', lambda: len(seen) >= 26)
    assert sorted(seen) == list(range(26))
    assert len(server.journal('opened')) == 1
    assert server.journal('closed') == []


def test_events_leave_room_in_the_pool_for_other_entrypoints(world, server, gate):
    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            gate.wait()

    running = world.run(Service, max_workers=3)
    server.publish_many([('/a', number) for number in range(10)])
    world.until('the slots to be taken', lambda: gate.begun == 2)
    assert running.container._worker_pool.free() == 1
    gate.open()
    world.until('all events', lambda: gate.begun == 10)


@pytest.mark.parametrize('end', [eventlet.Timeout(), SystemExit(3)], ids=lambda each: type(each).__name__)
def test_a_worker_that_ends_without_a_result_gives_its_slot_back(world, server, end):
    seen = []

    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data):
            if data == 'ends':
                raise end
            seen.append(data)

    world.run(Service, max_workers=1)
    server.publish('/a', 'ends')
    if isinstance(end, SystemExit):
        # Of every worker: eventlet raises it in the main green thread, where it ends the process.
        with pytest.raises(SystemExit):
            world.until('the end of the process', lambda: False)
    server.publish('/a', 'next')
    world.until('the next event', lambda: seen == ['next'])


def test_without_entrypoints_nothing_is_connected(world, server):
    class Service:
        name = 'chat'

        @subscribe('/a')
        def handle(self, channel, data): ...

    running = world.make(Service)
    restrict_entrypoints(running.container)
    running.start()
    running.end('stop')
    world.nothing_left(running)
    assert server.journal('request') == []
