"""Profile salesforce: who may come, sessions and their ends, limits. Recorded replies are in test_wire.py."""

import pytest

NONE = {'reconnect': 'none', 'interval': 0}
HANDSHAKE = {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': ['long-polling']}
DAY = 86_400.0


def reason(reply):
    return reply['ext']['sfdc']['failureReason']


# --- requests ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize('path', ['37.0', '67.0', '67.0/', '67.0/handshake', '67.0/handshake/', '100.0'])
def test_urls_name_a_version(salesforce, path):
    assert salesforce.receive([HANDSHAKE], path=path).messages[0]['successful'] is True


@pytest.mark.parametrize('path', ['', 'handshake', 'v67.0', '67', '67.', '67.0x', 'replay', '/67.0'])
def test_without_a_version_a_request_is_400(salesforce, path):
    answer = salesforce.receive([HANDSHAKE], path=path)
    text = "400::API version in the URI is mandatory. URI format: '/cometd/66.0'"
    assert (answer.status, answer.messages) == (400, [{'error': text, 'successful': False}])
    assert salesforce.broker.sessions == ()


@pytest.mark.parametrize('path', ['36.0', '23.0/', 'replay/36.0', 'replay/40.0'])
def test_old_versions_are_400(salesforce, path):
    answer = salesforce.receive([HANDSHAKE], path=path)
    assert answer.status == 400
    assert answer.messages[0]['error'].startswith('400::Unsupported API version. Only API versions')


def test_a_body_above_32768_bytes_is_413(salesforce):
    answer = salesforce.receive([HANDSHAKE], size=32_769)
    assert (answer.status, answer.messages, answer.text) == (413, None, 'Maximum Request Size Exceeded')
    assert salesforce.receive([HANDSHAKE], size=32_768).status == 200
    assert salesforce.violations() == ['large_request']


def test_every_request_needs_a_token(salesforce):
    peer = salesforce.connected()
    refused = [{'error': '401::Request requires authentication', 'successful': False}]
    for message in (HANDSHAKE, peer.connect_message(), {'channel': '/meta/subscribe'}):
        assert peer.send(message, authorization=None).messages == refused
    assert salesforce.broker.journal.entries(kind=None)[-1].detail == {'status': 200, 'messages': 1}


@pytest.mark.parametrize('token', ['Bearer token', 'OAuth token'])
def test_tokens_come_as_bearer_or_oauth(salesforce, token):
    assert salesforce.receive([HANDSHAKE], authorization=token).messages[0]['successful'] is True


# --- handshake --------------------------------------------------------------------------------------------


def test_the_advice_comes_with_the_first_connect_and_not_before_or_after(salesforce):
    peer = salesforce.peer()
    assert 'advice' not in peer.handshake()
    assert peer.connect()[0]['advice'] == {'reconnect': 'retry', 'interval': 0, 'timeout': 110_000}
    peer.poll()
    salesforce.wait(110.0)
    assert 'advice' not in peer.released()[0]


def test_a_refused_first_connect_does_not_use_the_advice_up(make_salesforce):
    world = make_salesforce(busy=['/meta/connect'])
    peer = world.peer()
    assert peer.connect()[0]['advice'] == NONE
    world.broker.settings = world.broker.settings.changed({'busy': []})
    assert peer.connect()[0]['advice']['timeout'] == 110_000


def test_the_extension_is_agreed_whoever_asks(salesforce):
    peer = salesforce.peer()
    assert peer.handshake()['ext'] == {'replay': True, 'payload.format': True}
    assert peer.handshake(ext={'ack': True})['ext'] == {'replay': True, 'payload.format': True}


@pytest.mark.parametrize('sent', ['305', 305])
def test_ids_come_back_as_they_were_sent(salesforce, sent):
    assert salesforce.peer().handshake(id=sent)['id'] == sent
    assert 'id' not in salesforce.peer().handshake()


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        ({'busy': ['/meta/handshake']}, '503::Server is too busy.  Please try your request again later.'),
        ({'client_limit': 0}, '403::Organization concurrent user limit exceeded'),
    ],
)
def test_refused_handshakes_give_the_reason(make_salesforce, settings, expected):
    reply = make_salesforce(**settings).peer().handshake(id='1')
    assert (reply['successful'], reply['error'], reply['id']) == (False, '403::Handshake denied', '1')
    assert reason(reply) == expected
    assert reply['advice'] == {'reconnect': 'none'}
    assert 'clientId' not in reply


def test_a_handshake_can_be_denied_without_a_reason(make_salesforce):
    world = make_salesforce(deny_handshake=True, deny_handshake_reconnect='retry')
    reply = world.peer().handshake()
    assert (reply['error'], reply['advice']) == ('403::Handshake denied', {'reconnect': 'retry'})
    assert reply['ext'] == {'replay': True, 'payload.format': True}


def test_abandoned_sessions_count_as_clients_until_they_expire(make_salesforce):
    world = make_salesforce(client_limit=2)
    peer = world.peer()
    peer.handshake()
    assert reason(peer.handshake()) == '403::Organization concurrent user limit exceeded'
    world.wait(40.0)
    assert peer.handshake()['successful'] is True


def test_a_negative_limit_of_clients_is_none(make_salesforce):
    world = make_salesforce(client_limit=-1)
    assert all(world.peer().client_id for _ in range(50))


# --- time -------------------------------------------------------------------------------------------------


def test_a_connect_is_held_for_110_seconds(salesforce):
    peer = salesforce.connected()
    peer.poll()
    salesforce.wait(109.9)
    assert peer.released() is None
    salesforce.wait(0.1)
    assert peer.released()[0]['successful'] is True


def test_a_client_has_40_seconds_to_come_back(salesforce):
    late, early = salesforce.connected(), salesforce.connected()
    salesforce.wait(39.9)
    early.poll()
    salesforce.wait(0.1)
    assert late.connect()[0]['error'] == '403::Unknown client'
    assert [each.client_id for each in salesforce.broker.sessions] == [early.client_id]


@pytest.mark.parametrize('last', ['handshake', 'subscribe', 'unsubscribe'])
def test_any_answer_starts_the_40_seconds_again(salesforce, last):
    peer = salesforce.peer() if last == 'handshake' else salesforce.connected()
    if last != 'handshake':
        salesforce.wait(30.0)
        assert peer.ask(f'/meta/{last}', subscription='/topic/X')[-1]['successful'] is True
    salesforce.wait(39.9)
    assert peer.connect(advice={'timeout': 0})[0]['successful'] is True


# --- the session's cookies --------------------------------------------------------------------------------


def test_a_known_client_without_its_cookie_is_told_so(salesforce):
    peer = salesforce.connected()
    del peer.cookies['BAYEUX_BROWSER']
    [reply] = peer.connect()
    assert reply['error'] == (
        f'400::Client {peer.client_id} has established a session, but no BAYEUX_BROWSER cookie present'
    )
    assert salesforce.violations() == ['cookie_missing']


def test_a_client_with_another_cookie_is_unknown(salesforce):
    peer = salesforce.connected()
    peer.cookies['BAYEUX_BROWSER'] = 'other'
    assert peer.connect()[0]['error'] == '403::Unknown client'


def test_the_client_id_alone_can_be_made_enough(make_salesforce):
    peer = make_salesforce(trust_client_id=True).connected()
    peer.cookies = {}
    peer.poll()


def test_a_message_without_client_id_has_not_shaken_hands(salesforce):
    answer = salesforce.receive([{'channel': '/meta/connect', 'connectionType': 'long-polling'}])
    assert answer.messages[0]['error'] == '403::Client has not completed handshake'
    assert answer.messages[0]['advice'] == {'reconnect': 'handshake', 'interval': 0}


def test_when_the_routing_cookie_has_ended_the_client_is_unknown_and_gets_another(salesforce):
    peer = salesforce.connected()
    before = peer.cookies['sfdc-stream']
    for _ in range(98):
        peer.poll()
        salesforce.wait(110.0)
        assert peer.released()[0]['successful'] is True
    peer.poll()
    salesforce.wait(110.0)  # the held connect is still answered
    assert peer.released()[0]['successful'] is True
    answer = peer.send(peer.connect_message(id='304'))
    assert answer.messages == [
        {
            'channel': '/meta/connect',
            'id': '304',
            'successful': False,
            'error': '403::Unknown client',
            'advice': {'reconnect': 'handshake', 'interval': 0},
        }
    ]
    assert answer.timed_cookie.lifetime == 10_800.0
    assert peer.cookies['sfdc-stream'] == answer.timed_cookie.value != before
    assert salesforce.violations() == []
    assert peer.handshake()['successful'] is True
    assert peer.connect()[0]['successful'] is True


def test_the_life_of_the_routing_cookie_can_be_set(make_salesforce):
    world = make_salesforce(routing_cookie_ttl=30.0)
    peer = world.connected()
    world.wait(30.0)
    assert peer.connect()[0]['error'] == '403::Unknown client'


def test_a_route_that_leads_elsewhere_is_no_help(salesforce):
    one, two = salesforce.connected(), salesforce.connected()
    one.cookies['sfdc-stream'] = two.cookies['sfdc-stream']
    assert one.connect()[0]['error'] == '403::Unknown client'


def test_the_old_session_lives_on_where_the_route_no_longer_leads(salesforce):
    peer = salesforce.connected()
    salesforce.broker.manner.routes.close_all(salesforce.now)
    peer.connect()
    assert len(salesforce.broker.sessions) == 1
    salesforce.wait(40.0)
    assert salesforce.broker.sessions == ()


def test_a_route_is_opened_once(salesforce):
    peer = salesforce.peer()
    assert peer.send(peer.connect_message()).timed_cookie is None


# --- unknown clients --------------------------------------------------------------------------------------


def test_an_unknown_client_may_be_told_by_a_disconnect(make_salesforce):
    world = make_salesforce(unknown_client_disconnects=True)
    peer = world.connected()
    world.wait(41.0)
    assert peer.connect(id='33') == [
        {'channel': '/meta/disconnect'},
        {
            'channel': '/meta/connect',
            'id': '33',
            'clientId': peer.client_id,
            'successful': False,
            'error': '403::Unknown client',
            'advice': NONE,
        },
    ]


def test_other_messages_of_an_unknown_client_are_refused_without_advice(salesforce):
    peer = salesforce.connected()
    salesforce.wait(41.0)
    assert peer.ask('/meta/subscribe', subscription='/topic/X', id='3') == [
        {
            'channel': '/meta/subscribe',
            'id': '3',
            'subscription': '/topic/X',
            'successful': False,
            'error': '403::Unknown client',
        }
    ]


def test_a_dismissed_client_that_did_not_wait_is_unknown(salesforce):
    peer = salesforce.connected()
    assert salesforce.broker.disconnect(salesforce.now) == 1
    [reply] = peer.connect()
    assert (reply['error'], reply['advice']['reconnect']) == ('403::Unknown client', 'handshake')


def test_a_client_ends_its_session_itself(salesforce):
    peer = salesforce.connected()
    held = peer.poll()
    [reply] = peer.ask('/meta/disconnect', id='9')
    assert reply == {
        'channel': '/meta/disconnect',
        'id': '9',
        'clientId': peer.client_id,
        'successful': True,
    }
    [last] = peer.released(held)
    assert (last['successful'], last['advice']) == (True, {'reconnect': 'none'})


def test_a_connect_behind_a_disconnect_is_one_of_an_unknown_client(salesforce):
    peer = salesforce.connected()
    goodbye = {'channel': '/meta/disconnect', 'clientId': peer.client_id}
    messages = peer.send(goodbye, peer.connect_message()).messages
    assert [each['successful'] for each in messages] == [True, False]
    assert messages[1]['error'] == '403::Unknown client'


# --- tokens -----------------------------------------------------------------------------------------------


def test_a_token_that_is_no_longer_good_ends_the_session_at_the_next_connect(salesforce):
    peer = salesforce.connected()
    salesforce.org.users.clear()
    [reply] = peer.connect()
    assert (reply['error'], reply['advice']) == ('401::Authentication invalid', NONE)
    assert reply['clientId'] == peer.client_id
    assert salesforce.broker.sessions == ()
    assert salesforce.broker.journal.entries()[-3].detail == {'why': 'authentication'}


def test_the_next_good_token_of_the_user_will_do(salesforce):
    peer = salesforce.connected()
    salesforce.org.users['Bearer next'] = '005A'
    peer.token = 'Bearer next'
    peer.poll()
    salesforce.wait(110.0)
    assert peer.released()[0]['successful'] is True


def test_a_subscription_with_a_bad_token_is_refused_and_the_session_stays(salesforce):
    peer = salesforce.connected()
    peer.token = 'Bearer dead'
    reply = peer.subscribe('/topic/X')
    assert reply['error'] == '401::Authentication invalid'
    assert 'advice' not in reply
    assert len(salesforce.broker.sessions) == 1


def test_another_users_token_ends_the_session(salesforce):
    peer = salesforce.connected()
    peer.token = 'Bearer other'
    assert peer.subscribe('/topic/X')['error'].startswith('400::Authenticated user id does not match')
    assert [each['channel'] for each in peer.connect()] == ['/meta/disconnect', '/meta/connect']
    assert salesforce.broker.sessions == ()


def test_a_held_connect_is_not_disturbed_before_tokens_are_looked_at_again(salesforce):
    peer = salesforce.connected('/topic/X')
    peer.poll()
    salesforce.org.users.clear()
    salesforce.publish('/topic/X', {})
    assert [each['channel'] for each in peer.released()] == ['/topic/X', '/meta/connect']
    assert peer.released()[1]['successful'] is True


# --- busy, limits -----------------------------------------------------------------------------------------


def test_a_busy_server_refuses_subscriptions_with_a_misleading_error(make_salesforce):
    peer = make_salesforce(busy=['/meta/subscribe']).connected()
    reply = peer.subscribe('/topic/X')
    assert (reply['successful'], reply['error']) == (False, '401::Authentication invalid')
    assert reason(reply).startswith('503::Server is too busy.')
    assert 'advice' not in reply


def test_a_session_survives_that_the_server_was_busy(make_salesforce):
    world = make_salesforce()
    peer = world.connected()
    world.broker.settings = world.broker.settings.changed({'busy': ['/meta/connect']})
    assert reason(peer.connect()[0]).startswith('503::')
    world.broker.settings = world.broker.settings.changed({'busy': []})
    peer.poll()


def test_above_the_daily_limit_nothing_is_delivered_until_a_day_is_over(make_salesforce):
    world = make_salesforce(daily_event_limit=2, retention_topics=3 * DAY, routing_cookie_ttl=9 * DAY)
    peer = world.connected('/topic/X')
    for number in range(3):
        world.publish('/topic/X', {'n': number})
    [*events, reply] = peer.connect()
    assert [each['data']['n'] for each in events] == [0, 1]
    assert reply['error'] == '403::Organization total events daily limit exceeded'
    assert (reply['advice'], reply['clientId']) == (NONE, peer.client_id)
    assert peer.subscribe('/topic/Y')['error'] == '403::Organization total events daily limit exceeded'
    world.wait(DAY)
    peer = world.connected()
    ext = {'replay': {'/topic/X': events[1]['data']['event']['replayId']}}
    [event, reply] = peer.ask('/meta/subscribe', subscription='/topic/X', ext=ext)
    assert (event['data']['n'], reply['successful']) == (2, True)


def test_a_session_that_missed_an_event_is_over_even_if_the_limit_is_raised(make_salesforce):
    world = make_salesforce(daily_event_limit=1)
    peer = world.connected('/topic/X')
    for number in range(2):
        world.publish('/topic/X', {'n': number})
    world.broker.settings = world.broker.settings.changed({'daily_event_limit': 100})
    world.publish('/topic/X', {'n': 2})
    [event, reply] = peer.connect()
    assert event['data']['n'] == 0
    assert reply['error'] == '403::Organization total events daily limit exceeded'
    peer.handshake()
    assert peer.connect()[0]['successful'] is True
    assert peer.subscribe('/topic/X')['successful'] is True


def test_replayed_events_count_too(make_salesforce):
    world = make_salesforce(daily_event_limit=2)
    for number in range(3):
        world.publish('/topic/X', {'n': number})
    peer = world.connected()
    [*events, reply] = peer.ask('/meta/subscribe', subscription='/topic/X', ext={'replay': {'/topic/X': -2}})
    assert ([each['data']['n'] for each in events], reply['successful']) == ([0, 1], True)
    assert peer.connect()[0]['error'] == '403::Organization total events daily limit exceeded'


# --- two clients behind one cookie ------------------------------------------------------------------------


def test_two_clients_behind_one_cookie_take_turns(salesforce):
    one, two = salesforce.connected(), salesforce.peer()
    two.cookies = one.cookies
    two.handshake()
    two.connect()
    one.poll()
    [reply] = two.connect()
    assert reply['advice'] == {
        'multiple-clients': True,
        'reconnect': 'retry',
        'interval': 2000,
        'timeout': 110_000,
    }
    salesforce.broker.gone(one.exchange, salesforce.now)
    salesforce.wait(2.0)
    two.poll()


# --- what is not there ------------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', ['websocket', 'callback-polling', None])
def test_only_long_polling(salesforce, kind):
    peer = salesforce.connected()
    reply = peer.connect(connectionType=kind)[0]
    assert (reply['successful'], reply['error']) == (False, f'400::Invalid connection type {kind}')
    assert salesforce.peer().handshake()['supportedConnectionTypes'] == ['long-polling']


def test_nothing_is_published_over_cometd(salesforce):
    peer, other = salesforce.connected(), salesforce.connected('/topic/X')
    assert peer.ask('/topic/X', data={'n': 1}, id='4') == [
        {
            'channel': '/topic/X',
            'id': '4',
            'clientId': peer.client_id,
            'successful': False,
            'error': '403:denied_by_security_policy:publish_denied',
        }
    ]
    other.poll()


def test_malformed_messages_are_refused_as_by_the_server_underneath(salesforce):
    peer = salesforce.connected()
    assert peer.send({'clientId': peer.client_id}).messages[0]['error'] == '400::channel_missing'
    assert peer.handshake(id='a-b')['error'] == '403::Handshake denied'
