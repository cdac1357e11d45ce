"""What clients must not do is noted, and a proper client is not accused."""

import pytest


def noted(world):
    return [(entry.detail['violation'], entry.detail['text']) for entry in world.broker.journal.violations]


def test_a_proper_client_is_not_accused(make_world):
    world = make_world(interval=1.0)
    peer = world.connected('/a')
    for number in range(3):
        world.wait(1.0)
        world.publish('/a', number)
        peer.connect(id=str(number))
    peer.ask('/a', data=None)
    peer.ask('/meta/disconnect')
    assert noted(world) == []


def test_a_poll_before_the_interval_is_over_is_early(make_world):
    world = make_world(interval=5.0)
    peer = world.connected()
    world.wait(4.0)
    peer.poll()
    assert noted(world) == [('early_poll', '1.000 s too early')]


def test_the_interval_for_multiple_clients_counts(world):
    one, two = world.connected(), world.peer()
    two.cookies = one.cookies
    two.handshake()
    one.poll()
    two.connect()
    world.wait(1.0)
    two.connect()
    assert noted(world) == [('early_poll', '1.000 s too early')]


def test_a_large_request_is_noted_and_answered(world):
    peer = world.peer()
    assert peer.send(peer.connect_message(), size=32_769).status == 200
    assert noted(world) == [('large_request', '32769 bytes')]
    peer.send(peer.connect_message(), size=32_768)
    assert len(noted(world)) == 1


@pytest.mark.parametrize(
    ('message', 'text'),
    [
        ({'channel': '/meta/handshake', 'version': '1.0'}, '/meta/handshake: supportedConnectionTypes'),
        ({'channel': '/meta/connect', 'clientId': 'x'}, '/meta/connect: connectionType'),
        ({'channel': '/meta/subscribe', 'clientId': 'x'}, '/meta/subscribe: subscription'),
        ({'channel': '/meta/disconnect'}, '/meta/disconnect: clientId'),
        ({'channel': '/a'}, '/a: data'),
        ({}, 'channel'),
    ],
)
def test_demanded_fields_are_missed(world, message, text):
    world.receive(message)
    assert noted(world) == [('field_missing', text)]


@pytest.mark.parametrize(
    ('message', 'violation', 'text'),
    [
        ({'channel': '/a', 'data': 1, 'id': 'a-b'}, 'id_invalid', 'a-b'),
        ({'channel': '/a', 'data': 1, 'id': {}}, 'id_invalid', 'not a text'),
        ({'channel': '/a/*', 'data': 1}, 'wild_publish', '/a/*'),
        (
            {'channel': '/meta/subscribe', 'clientId': 'x', 'subscription': ['/a', '/meta/x']},
            'meta_subscription',
            '/meta/x',
        ),
    ],
)
def test_malformed_messages_are_noted(world, message, violation, text):
    world.receive(message)
    assert noted(world) == [(violation, text)]


def test_equal_ids_in_one_request_are_noted(world):
    peer = world.connected()
    message = {'channel': '/a', 'clientId': peer.client_id, 'data': 1}
    peer.send({**message, 'id': '1'}, {**message, 'id': 1})
    assert noted(world) == [('id_repeated', '1, 1')]
    peer.send(message, message)
    assert len(noted(world)) == 1


def test_subscribing_after_ones_own_disconnect_is_noted_but_not_after_expiry(world):
    peer, other = world.connected(), world.connected()
    peer.ask('/meta/disconnect')
    peer.subscribe('/a')
    world.wait(11.0)
    other.subscribe('/a')
    assert noted(world) == [('after_disconnect', '/meta/subscribe')]
