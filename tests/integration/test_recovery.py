"""What happens to the world outside, and that the service lives through it."""

import logging

from nameko_salesforce.bayeux import subscribe


def recorder(*channels):
    """A service class, and the list of the data that it was given."""
    seen = []

    class Service:
        name = 'chat'

        def handle(self, channel, data):
            seen.append(data)

        for channel in channels:
            handle = subscribe(channel)(handle)

    return Service, seen


def test_a_service_starts_while_its_server_is_down_and_is_served_once_it_is_up(world, server):
    Service, seen = recorder('/a')
    server.stop()
    running = world.make(Service).start()
    world.until('a second attempt', lambda: world.log.lines('failure 2'))
    assert running.client.state.value == 'pausing'
    server.start()
    world.subscribed(running)
    server.publish('/a', 1)
    world.until('the event', lambda: seen == [1])


def test_events_flow_again_after_a_server_has_lost_all_its_sessions(world, server):
    Service, seen = recorder('/a', '/b/**')
    world.run(Service)
    mark = server.mark()
    server.restart()
    server.wait_for('reply', channel='/meta/subscribe', successful=True, after=mark, count=2)
    server.publish('/a', 1)
    server.publish('/b/c', 2)
    world.until('two events', lambda: seen == [1, 2])


def test_events_flow_again_after_a_server_crashed_and_came_back(world, server):
    Service, seen = recorder('/a')
    running = world.run(Service)
    server.kill()
    world.until('the loss to be noticed', lambda: running.client.state.value != 'connected')
    server.start()
    world.subscribed(running)
    server.publish('/a', 1)
    world.until('the event', lambda: seen == [1])


def test_a_server_that_wants_no_more_of_the_session_is_obeyed_aloud_and_the_service_lives(world, server, log):
    log.expect_error('CONNECTED -> HALTED: given up: the server advised to stop')
    Service, _ = recorder('/a')
    running = world.run(Service)
    server.disconnect_all()
    world.until('the report', lambda: log.lines('HALTED'))
    assert len(log.lines('HALTED', logging.ERROR)) == 1
    running.end('stop')  # wait() would raise what had killed the container


def test_a_refused_channel_is_logged_once_and_stops_no_other(world, server):
    server.configure(deny_subscribe={'/secret/*': 'members only'})
    Service, seen = recorder('/open', '/secret/room')
    world.make(Service).start()
    refused = {'channel': '/meta/subscribe', 'subscription': '/secret/room', 'successful': False}
    server.wait_for('reply', count=3, **refused)
    server.publish('/open', 1)
    world.until('the event on the other channel', lambda: seen == [1])
    (line,) = world.log.lines('/secret/room is refused')
    assert 'members only' in line
    server.configure(deny_subscribe={})
    world.until('the channel, once allowed', lambda: world.log.lines('/secret/room is active'))
    server.publish('/secret/room', 2)
    world.until('the event on it', lambda: seen == [1, 2])
