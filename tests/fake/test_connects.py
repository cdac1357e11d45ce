"""Handshake and connect: advice, holding, overtaking, two sessions behind a cookie, acknowledgements."""

import re

import pytest


def test_a_handshake_reply_has_everything_that_the_reference_server_sends(world):
    reply = world.receive(
        {'channel': '/meta/handshake', 'id': 7, 'version': '9', 'supportedConnectionTypes': ['x']}
    )
    assert len(reply.messages) == 1
    message = dict(reply.messages[0])
    assert re.fullmatch(r'[a-z0-9]{25,}', message.pop('clientId'))  # 128 bits are 25 characters of 36
    assert message == {
        'channel': '/meta/handshake',
        'id': '7',
        'successful': True,
        'version': '1.0',
        'minimumVersion': '1.0',
        'supportedConnectionTypes': ['long-polling', 'callback-polling'],
        'advice': {'reconnect': 'retry', 'interval': 0, 'timeout': 30000},
    }


def test_every_handshake_begins_a_session_of_its_own(world):
    peer = world.peer()
    old = peer.client_id
    assert peer.handshake(clientId=old)['clientId'] != old
    assert len(world.broker.sessions) == 2
    assert world.violations() == ['field_forbidden']


def test_a_denied_handshake_gives_neither_session_nor_cookie(make_world):
    world = make_world(deny_handshake=True)
    answer = world.receive({'channel': '/meta/handshake', 'id': '1'})
    assert answer.messages == [
        {
            'channel': '/meta/handshake',
            'id': '1',
            'successful': False,
            'error': '403::handshake_denied',
            'advice': {'reconnect': 'none'},
        }
    ]
    assert answer.set_cookie is None
    assert world.broker.sessions == ()


def test_the_advice_of_a_denied_handshake_can_be_another(make_world):
    peer = make_world(deny_handshake=True, deny_handshake_reconnect='retry').peer()
    assert peer.handshake()['advice'] == {'reconnect': 'retry'}


def test_a_handshake_with_an_invalid_id_is_refused(world):
    assert world.peer().handshake(id='a-b')['error'] == '405::message_id_invalid'
    assert len(world.broker.sessions) == 1


def test_refusals_can_change_while_sessions_live(world):
    peer = world.connected()
    world.broker.settings = world.broker.settings.changed({'deny_subscribe': {'/x/**': 'closed'}})
    assert peer.subscribe('/x/y')['error'] == '403:closed:subscribe_denied'
    world.broker.settings = world.broker.settings.changed({'deny_subscribe': {}})
    assert peer.subscribe('/x/y')['successful'] is True


# --- holding --------------------------------------------------------------------------------------


def test_the_first_connect_is_answered_at_once_without_advice(world):
    assert world.peer().connect(id='2') == [{'channel': '/meta/connect', 'id': '2', 'successful': True}]


def test_the_second_connect_is_held_until_its_timeout(world):
    peer = world.connected()
    peer.poll()
    world.wait(29.9)
    assert peer.released() is None
    world.wait(0.2)
    assert peer.released() == [{'channel': '/meta/connect', 'successful': True}]


def test_a_client_may_ask_for_another_timeout_and_gets_the_advice_with_the_reply(world):
    peer = world.connected()
    assert peer.connect(advice={'timeout': 0})[0]['advice']['timeout'] == 30000
    peer.poll(advice={'timeout': 45_000})
    world.wait(44.0)
    assert peer.released() is None
    world.wait(1.1)
    assert peer.released()[0]['advice'] == {'reconnect': 'retry', 'interval': 0, 'timeout': 30000}
    peer.poll()
    world.wait(30.1)
    assert 'advice' not in peer.released()[0]


@pytest.mark.parametrize('timeout', ['0', None, -1, True, [], 1e300])
def test_an_unusable_timeout_counts_as_none(world, timeout):
    peer = world.connected()
    peer.poll(advice={'timeout': timeout})
    world.wait(30.1)
    assert peer.released() is not None


def test_an_interval_that_a_client_asks_for_counts_for_its_expiry(world):
    peer = world.connected()
    peer.connect(advice={'timeout': 0, 'interval': 60_000})
    world.wait(69.0)
    assert len(world.broker.sessions) == 1
    world.wait(1.1)
    assert world.broker.sessions == ()


def test_a_connect_in_company_is_not_held(world):
    peer = world.connected()
    subscribe = {'channel': '/meta/subscribe', 'clientId': peer.client_id, 'subscription': '/a'}
    assert peer.send(peer.connect_message(), subscribe).status == 200
    assert peer.send(subscribe, peer.connect_message()).status == 200


def test_a_connect_is_not_held_when_events_wait(world):
    peer = world.connected('/t/a')
    world.publish('/t/a', 1)
    assert [message['channel'] for message in peer.connect()] == ['/t/a', '/meta/connect']


def test_a_refused_connect_is_not_held(world):
    peer = world.connected()
    assert peer.connect(id='a-b')[0]['error'] == '405::message_id_invalid'


def test_a_server_that_holds_nothing(make_world):
    assert make_world(timeout=0.0).connected().connect()[0]['successful'] is True


# --- overtaking -------------------------------------------------------------------------------------


def test_a_second_connect_fails_the_first_without_body_and_without_its_events(world):
    peer = world.connected('/t/a')
    first = peer.poll()
    second = peer.poll()
    assert (world.released[first].status, world.released[first].messages) == (500, None)
    world.publish('/t/a', 1)
    assert peer.released(second)[0]['data'] == 1
    assert world.violations() == ['overtaking']


def test_even_a_refused_connect_overtakes(world):
    peer = world.connected()
    first = peer.poll()
    assert peer.connect(id='a-b')[0]['successful'] is False
    assert world.released[first].status == 500


def test_the_status_of_an_overtaken_connect_can_be_another(make_world):
    world = make_world(overtaken_status=408)
    peer = world.connected()
    first = peer.poll()
    peer.poll()
    assert world.released[first].status == 408


def test_overtaking_takes_no_batch_of_acknowledged_events(world):
    peer = world.connected('/t/a', ext={'ack': True})
    peer.poll(ext={'ack': 1})
    peer.poll(ext={'ack': 1})
    world.publish('/t/a', 1)
    assert peer.released()[-1]['ext'] == {'ack': 2}


# --- several sessions behind one cookie -----------------------------------------------------------------


def two_behind_one_cookie(world):
    one, two = world.connected(), world.peer()
    two.cookies = one.cookies
    two.handshake()
    one.poll()
    return one, two


def test_a_second_session_behind_a_cookie_is_told_so_and_not_held(world):
    _, two = two_behind_one_cookie(world)
    assert two.connect(id='1') == [
        {
            'channel': '/meta/connect',
            'id': '1',
            'successful': True,
            'advice': {'multiple-clients': True, 'reconnect': 'retry', 'interval': 2000},
        }
    ]


def test_the_second_session_is_held_as_soon_as_the_first_is_not(world):
    one, two = two_behind_one_cookie(world)
    two.connect()
    world.broker.gone(one.exchange, world.now)
    world.wait(2.0)
    two.poll()


def test_without_an_interval_the_second_session_is_refused(make_world):
    world = make_world(multi_session_interval=0.0)
    _, two = two_behind_one_cookie(world)
    reply = two.connect()[0]
    assert reply['successful'] is False
    assert reply['advice'] == {'multiple-clients': True, 'reconnect': 'none'}


@pytest.mark.parametrize('limit', [2, -1])
def test_more_sessions_behind_a_cookie_can_be_allowed(make_world, limit):
    world = make_world(max_sessions_per_browser=limit)
    _, two = two_behind_one_cookie(world)
    two.connect()
    two.poll()


# --- acknowledgements -------------------------------------------------------------------------------------


def acking(world):
    peer = world.peer(ext={'ack': True})
    assert peer.connect(ext={'ack': 0})[0]['ext'] == {'ack': 1}
    peer.subscribe('/t/a')
    return peer


def test_the_extension_is_agreed_in_the_handshake_only_if_both_want_it(world, make_world):
    assert world.peer().handshake(ext={'ack': True})['ext'] == {'ack': True}
    assert 'ext' not in world.peer().handshake(ext={'ack': False})
    assert 'ext' not in make_world(ack_extension=False).peer().handshake(ext={'ack': True})


def test_batches_count_up_with_every_connect_reply(world):
    peer = acking(world)
    peer.poll(ext={'ack': 1})
    world.publish('/t/a', 1)
    assert peer.released()[-1]['ext'] == {'ack': 2}
    peer.poll(ext={'ack': 2})
    world.wait(30.1)
    assert peer.released()[-1]['ext'] == {'ack': 3}


def test_what_is_not_acknowledged_comes_again_at_once_under_a_new_batch(world):
    peer = acking(world)
    peer.poll(ext={'ack': 1})
    world.publish('/t/a', 'lost')
    assert peer.released()[0]['data'] == 'lost'
    again = peer.connect(ext={'ack': 1})
    assert [message.get('data') for message in again] == ['lost', None]
    assert again[-1]['ext'] == {'ack': 3}
    assert again[-1]['advice']['reconnect'] == 'retry'
    peer.poll(ext={'ack': 3})
    assert world.broker.sessions[0].unacknowledged == 0


def test_what_is_not_acknowledged_comes_before_what_is_new(world):
    peer = acking(world)
    peer.poll(ext={'ack': 1})
    world.publish('/t/a', 'lost')
    world.publish('/t/a', 'new')
    messages = peer.connect(ext={'ack': 1})
    assert [message.get('data') for message in messages] == ['lost', 'new', None]
    assert 'advice' not in messages[-1]  # what is new releases the connect anyway, nothing was forced


def test_a_timeout_of_the_client_is_kept_though_something_is_not_acknowledged(world):
    peer = acking(world)
    peer.poll(ext={'ack': 1})
    world.publish('/t/a', 'lost')
    peer.poll(ext={'ack': 1}, advice={'timeout': 5000})
    world.wait(5.1)
    assert peer.released()[0]['data'] == 'lost'


def test_with_acknowledgements_events_leave_with_connects_only(world):
    peer = acking(world)
    world.publish('/t/a', 1)
    assert [message['channel'] for message in peer.ask('/t/z', data=0)] == ['/t/z']
    assert peer.connect(ext={'ack': 1})[0]['data'] == 1


def test_expiry_discards_what_is_not_acknowledged(world):
    peer = acking(world)
    peer.poll(ext={'ack': 1})
    world.publish('/t/a', 1)
    world.wait(10.1)
    assert peer.connect(ext={'ack': 1})[0]['error'] == '402::session_unknown'


def test_a_client_that_forgets_to_acknowledge_is_noted(world):
    peer = acking(world)
    peer.poll()
    assert world.violations() == ['ack_missing']


def test_old_clients_acknowledge_minus_one_at_first(world):
    peer = world.peer(ext={'ack': True})
    assert peer.connect(ext={'ack': -1})[0]['ext'] == {'ack': 1}
