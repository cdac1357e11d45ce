"""Subscribe, unsubscribe, publish, disconnect: what is refused, and with which text."""

import pytest


@pytest.mark.parametrize(
    ('subscription', 'error'),
    [
        (None, '403::subscription_missing'),
        (1, '403::subscription_invalid'),
        ([], '403::subscription_invalid'),
        ({}, '403::subscription_invalid'),
        ('x', '403::subscription_invalid'),
        ('/x?y=1', '403::subscription_invalid'),
        ('/*/x', '403::subscription_invalid'),
        (['/x', 'y'], '403::subscription_invalid'),
        ('/meta/connect', '403:denied_by_security_policy:subscribe_denied'),
        ('/meta/other', '403:denied_by_security_policy:create_denied'),
    ],
)
def test_refused_subscriptions(world, subscription, error):
    peer = world.connected()
    reply = peer.subscribe(subscription, id='5')
    assert (reply['successful'], reply['error'], reply['id']) == (False, error, '5')
    assert reply['subscription'] == subscription
    assert world.broker.sessions[0].subscriptions == ()


def test_a_subscription_is_echoed(world):
    peer = world.connected()
    assert peer.subscribe('/a/*', id='1') == {
        'channel': '/meta/subscribe',
        'id': '1',
        'subscription': '/a/*',
        'successful': True,
    }


def test_a_list_of_subscriptions_gets_one_reply(world):
    peer = world.connected()
    assert peer.ask('/meta/subscribe', subscription=['/a', '/b']) == [
        {'channel': '/meta/subscribe', 'subscription': ['/a', '/b'], 'successful': True}
    ]
    assert world.broker.sessions[0].subscriptions == ('/a', '/b')


def test_a_list_stops_at_the_first_refused_channel_and_keeps_the_earlier_ones(make_world):
    world = make_world(deny_subscribe={'/b': 'secret'})
    peer = world.connected()
    assert peer.subscribe(['/a', '/b', '/c'])['error'] == '403:secret:subscribe_denied'
    assert world.broker.sessions[0].subscriptions == ('/a',)


def test_the_policy_can_refuse_new_channels(make_world):
    world = make_world(deny_create={'/**': 'fixed'})
    peer = world.connected()
    assert peer.subscribe('/a')['error'] == '403:fixed:create_denied'
    assert peer.ask('/a', data=1)[0]['error'] == '403:fixed:channel_create_denied'
    world.publish('/a', 1)  # now it exists
    assert peer.subscribe('/a')['successful'] is True


def test_the_policy_can_refuse_publications(make_world):
    world = make_world(deny_publish={'/a/*': 'no'})
    peer = world.connected('/a/b')
    assert peer.ask('/a/b', data=1) == [
        {'channel': '/a/b', 'successful': False, 'error': '403:no:publish_denied'}
    ]


def test_subscribing_twice_is_once(world):
    peer = world.connected('/a', '/a')
    assert world.publish('/a', 1) == 1
    assert len(peer.connect()) == 2


def test_a_service_channel_is_accepted_and_not_recorded(world):
    peer, other = world.connected(), world.connected('/**')
    assert peer.subscribe('/service/x')['successful'] is True
    assert peer.ask('/service/x', data=1, id='1') == [
        {'channel': '/service/x', 'id': '1', 'successful': True}
    ]
    assert world.broker.sessions[0].subscriptions == ()
    other.poll()  # nothing was broadcast


@pytest.mark.parametrize(
    ('subscription', 'error'),
    [
        (None, '403::subscription_missing'),
        ('x', '403::subscription_invalid'),
        ('/never/seen', '400::channel_missing'),
    ],
)
def test_refused_unsubscriptions(world, subscription, error):
    reply = world.connected().ask('/meta/unsubscribe', subscription=subscription)[0]
    assert (reply['successful'], reply['error']) == (False, error)


def test_unsubscribing_from_a_channel_of_others_is_no_error(world):
    world.connected('/a')
    assert world.connected().ask('/meta/unsubscribe', subscription='/a')[0]['successful'] is True


@pytest.mark.parametrize('client_id', [None, 'wrong', 5, {}])
def test_publishing_without_the_client_id_is_refused(world, client_id):
    peer = world.connected()
    peer.client_id = client_id
    assert peer.ask('/a', data=1) == [{'channel': '/a', 'successful': False, 'error': '402::session_unknown'}]


def test_publishing_to_an_unknown_meta_channel_is_refused(world):
    reply = world.connected().ask('/meta/nonsense', data=1)[0]
    assert reply['error'] == '403:denied_by_security_policy:channel_create_denied'
