"""The broker as a whole: envelopes, cookies, delivery, order, the life and end of sessions."""

import pytest
from fake_salesforce.journal import Kind

EVENT = {'channel': '/t/a', 'data': 1}


def test_an_array_and_a_bare_object_are_both_answered_with_an_array(world):
    bare = world.receive({'channel': '/meta/handshake', 'id': '1'})
    assert bare.status == 200
    assert [reply['id'] for reply in bare.messages] == ['1']


@pytest.mark.parametrize('body', ['text', 1, None, [1], [[]], [{'channel': '/a'}, 'x']])
def test_what_is_not_made_of_messages_is_400(world, body):
    answer = world.receive(body)
    assert (answer.status, answer.messages) == (400, None)


def test_an_empty_array_is_500(world):
    assert world.receive([]).status == 500


@pytest.mark.parametrize('position', [0, 1])
def test_a_handshake_with_other_messages_is_500_and_does_nothing(world, position):
    messages = [{'channel': '/t/a', 'data': 1}]
    messages.insert(
        position, {'channel': '/meta/handshake', 'version': '1.0', 'supportedConnectionTypes': []}
    )
    assert world.receive(messages).status == 500
    assert world.broker.sessions == ()
    assert world.violations() == ['handshake_not_alone']


# --- cookies ------------------------------------------------------------------------------------


def test_the_cookie_is_given_once_with_path_and_http_only(world):
    answer = world.receive({'channel': '/meta/handshake'})
    name, _, rest = answer.set_cookie.partition('=')
    value, *attributes = rest.split('; ')
    assert (name, len(value), attributes) == ('BAYEUX_BROWSER', 16, ['Path=/', 'HttpOnly'])
    again = world.receive({'channel': '/meta/handshake'}, {'BAYEUX_BROWSER': value})
    assert again.set_cookie is None


def test_a_cookie_that_the_client_made_up_is_accepted_as_it_is(world):
    answer = world.receive({'channel': '/meta/handshake'}, {'BAYEUX_BROWSER': 'mine'})
    assert answer.set_cookie is None
    assert world.broker.sessions[0].browser == 'mine'


def test_the_right_client_id_without_its_cookie_is_unknown(world):
    peer = world.peer()
    peer.cookies.clear()
    reply = peer.connect()[0]
    assert reply['error'] == '402::session_unknown'
    assert reply['advice'] == {'reconnect': 'handshake', 'interval': 0}
    assert world.violations() == ['cookie_missing']


def test_the_right_client_id_with_the_cookie_of_another_is_unknown(world):
    one, other = world.peer(), world.peer()
    one.cookies = other.cookies
    assert one.connect()[0]['error'] == '402::session_unknown'


def test_a_client_id_is_enough_when_it_is_trusted(make_world):
    peer = make_world(trust_client_id=True).peer()
    peer.cookies.clear()
    assert peer.connect()[0]['successful'] is True


def test_the_session_is_that_of_the_first_message(world):
    one, other = world.connected(), world.connected()
    answer = one.send(
        {'channel': '/t/a', 'clientId': one.client_id, 'data': 1, 'id': '1'},
        {'channel': '/t/a', 'clientId': other.client_id, 'data': 2, 'id': '2'},
    )
    assert [reply.get('error') for reply in answer.messages] == [None, '402::session_unknown']


# --- replies --------------------------------------------------------------------------------------


def test_replies_come_in_request_order_with_their_ids(world):
    peer = world.connected()
    common = {'clientId': peer.client_id}
    answer = peer.send(
        {'channel': '/meta/subscribe', 'subscription': '/x', 'id': 'b', **common},
        {'channel': '/y', 'data': 1, 'id': 2, **common},
        {'channel': '/meta/unsubscribe', 'subscription': '/x', **common},
        {'channel': '/meta/connect', 'connectionType': 'long-polling', 'id': 'a', **common},
    )
    assert [(reply['channel'], reply.get('id')) for reply in answer.messages] == [
        ('/meta/subscribe', 'b'),
        ('/y', '2'),
        ('/meta/unsubscribe', None),
        ('/meta/connect', 'a'),
    ]


def test_one_bad_message_does_not_spoil_its_neighbours(world):
    peer = world.connected()
    answer = peer.send(
        {'channel': 'nonsense', 'clientId': peer.client_id},
        {'clientId': peer.client_id},
        {'channel': '/t/a', 'clientId': peer.client_id, 'data': 1, 'id': 'a-b'},
        {'channel': '/t/a', 'clientId': peer.client_id, 'data': 1},
    )
    assert [reply.get('error') for reply in answer.messages] == [
        '405::channel_invalid',
        '400::channel_missing',
        '405::message_id_invalid',
        None,
    ]


# --- delivery -----------------------------------------------------------------------------------------


def test_an_event_wakes_the_held_connect_and_stands_before_its_reply(world):
    peer = world.connected('/t/a')
    peer.poll(id='9')
    assert world.publish('/t/a', {'n': 1}) == 1
    assert peer.released() == [
        {'channel': '/t/a', 'data': {'n': 1}},
        {'channel': '/meta/connect', 'id': '9', 'successful': True},
    ]


def test_events_stand_behind_the_reply_on_request(make_world):
    peer = make_world(replies_first=True).connected('/t/a')
    peer.world.publish('/t/a', 1)
    assert [message['channel'] for message in peer.connect()] == ['/meta/connect', '/t/a']


def test_queued_events_ride_on_a_subscribe_reply(world):
    peer = world.connected('/t/a')
    world.publish('/t/a', 1)
    messages = peer.ask('/meta/subscribe', subscription='/t/b')
    assert [message['channel'] for message in messages] == ['/t/a', '/meta/subscribe']
    peer.poll()  # nothing is left that would answer it


def test_events_wait_for_the_connect_when_only_that_may_deliver(make_world):
    world = make_world(meta_connect_deliver_only=True)
    peer = world.connected('/t/a')
    world.publish('/t/a', 1)
    assert [message['channel'] for message in peer.ask('/t/z', data=0)] == ['/t/z']
    assert [message['channel'] for message in peer.connect()] == ['/t/a', '/meta/connect']


def test_what_a_publisher_causes_rides_on_its_own_answer_and_leaves_the_connect_held(world):
    peer = world.connected('/t/a')
    held = peer.poll()
    messages = peer.ask('/t/a', data=1, id='5')
    assert messages == [EVENT, {'channel': '/t/a', 'id': '5', 'successful': True}]
    assert peer.released(held) is None


def test_with_delivery_by_connect_only_a_publisher_wakes_its_own_connect(make_world):
    peer = make_world(meta_connect_deliver_only=True).connected('/t/a')
    held = peer.poll()
    assert peer.ask('/t/a', data=1) == [{'channel': '/t/a', 'successful': True}]
    assert peer.released(held)[0] == EVENT


def test_a_publisher_does_not_get_its_own_event_if_the_server_is_told_so(make_world):
    world = make_world(broadcast_to_publisher=False)
    publisher, other = world.connected('/t/a'), world.connected('/t/a')
    other.poll()
    assert publisher.ask('/t/a', data=1) == [{'channel': '/t/a', 'successful': True}]
    assert other.released()[0] == EVENT


def test_a_broadcast_loses_client_id_and_message_id_and_keeps_the_rest(world):
    reader, writer = world.connected('/t/a'), world.connected()
    reader.poll()
    writer.ask('/t/a', data=1, id='7', ext={'k': 'v'})
    assert reader.released()[0] == {'channel': '/t/a', 'data': 1, 'ext': {'k': 'v'}}


def test_overlapping_patterns_bring_one_copy_with_the_concrete_channel(world):
    peer = world.connected('/t/*', '/t/a', '/**')
    peer.poll()
    assert world.publish('/t/a', 1) == 1
    assert peer.released()[:-1] == [EVENT]


def test_nothing_is_delivered_for_an_unsubscribed_channel(world):
    peer = world.connected('/t/a')
    peer.ask('/meta/unsubscribe', subscription='/t/a')
    peer.poll()
    assert world.publish('/t/a', 1) == 0
    assert peer.released() is None


def test_events_keep_their_order(world):
    peer = world.connected('/t/*')
    for number in range(5):
        world.publish(f'/t/{number % 2}', number)
    assert [message['data'] for message in peer.connect()[:-1]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize('channel', ['/meta/connect', '/t/*', 'x', ''])
def test_the_server_publishes_on_real_channels_only(world, channel):
    with pytest.raises(ValueError, match='not a channel to publish to'):
        world.publish(channel, 1)


# --- lazy events ----------------------------------------------------------------------------------------


def test_a_lazy_event_waits_for_the_lazy_timeout(world):
    peer = world.connected('/t/a')
    peer.poll()
    world.publish('/t/a', 1, lazy=True)
    world.wait(4.9)
    assert peer.released() is None
    world.wait(0.2)
    assert peer.released()[0] == EVENT


def test_a_lazy_event_leaves_with_one_that_is_not(world):
    peer = world.connected('/t/*')
    peer.poll()
    world.publish('/t/a', 1, lazy=True)
    world.publish('/t/b', 2)
    assert [message.get('data') for message in peer.released()] == [1, 2, None]


def test_a_lazy_event_leaves_with_the_end_of_the_connect(make_world):
    world = make_world(timeout=1.0)
    peer = world.connected('/t/a')
    peer.poll()
    world.publish('/t/a', 1, lazy=True)
    world.wait(1.1)
    assert peer.released()[0] == EVENT


def test_lazy_events_do_not_keep_a_connect_from_being_held(world):
    peer = world.connected('/t/a')
    world.publish('/t/a', 1, lazy=True)
    peer.poll()


def test_lazy_events_are_due_from_their_publication_on(make_world):
    world = make_world(timeout=20.0, max_interval=10.0, max_lazy_timeout=5.0)
    peer, _ = world.connected('/t/a'), world.connected()
    peer.poll()
    assert world.broker.deadline == world.now + 10.0  # of the other session
    world.publish('/t/a', 1, lazy=True)
    assert world.broker.deadline == world.now + 5.0


def test_lazy_events_that_rode_on_a_reply_leave_no_timer_behind(world):
    peer = world.connected('/t/a')
    world.publish('/t/a', 1, lazy=True)
    assert peer.ask('/t/z', data=0)[0] == EVENT
    peer.poll()
    world.wait(29.0)
    assert peer.released() is None


def test_a_channel_can_be_lazy(make_world):
    world = make_world(lazy_channels=['/t/**'])
    peer = world.connected('/t/a')
    peer.poll()
    world.publish('/t/a', 1)
    assert peer.released() is None


# --- the end of sessions ------------------------------------------------------------------------------------


def test_a_session_dies_after_interval_and_max_interval_with_queue_and_subscriptions(make_world):
    world = make_world(interval=3.0, max_interval=10.0)
    peer = world.connected('/t/a')
    world.publish('/t/a', 1)
    world.wait(12.9)
    assert len(world.broker.sessions) == 1
    world.wait(0.2)
    assert world.broker.sessions == ()
    assert world.publish('/t/a', 2) == 0
    assert peer.connect() == [
        {
            'channel': '/meta/connect',
            'successful': False,
            'error': '402::session_unknown',
            'advice': {'reconnect': 'handshake', 'interval': 0},
        }
    ]
    assert peer.subscribe('/t/a')['error'] == '402::session_unknown'
    assert 'advice' not in peer.subscribe('/t/a')


def test_a_session_that_never_connects_dies_too(world):
    world.peer()
    world.wait(10.1)
    assert world.broker.sessions == ()


def test_a_session_does_not_die_while_its_connect_is_held(make_world):
    world = make_world(timeout=60.0)
    peer = world.connected()
    peer.poll()
    world.wait(59.0)
    assert len(world.broker.sessions) == 1
    world.wait(1.1)
    assert peer.released()[-1]['successful'] is True
    world.wait(9.0)
    assert len(world.broker.sessions) == 1
    world.wait(1.0)
    assert world.broker.sessions == ()


def test_any_other_message_pushes_the_end(world):
    peer = world.connected()
    world.wait(9.0)
    peer.ask('/t/a', data=1)
    world.wait(9.0)
    assert len(world.broker.sessions) == 1
    world.wait(1.1)
    assert world.broker.sessions == ()


def test_a_clock_that_jumps_does_late_what_was_due(make_world):
    world = make_world(timeout=5.0)
    peer = world.connected('/t/a')
    peer.poll()
    world.now += 100.0
    world.publish('/t/a', 1)  # the connect has ended before the event comes
    assert peer.released() == [{'channel': '/meta/connect', 'successful': True}]
    assert world.broker.sessions[0].queued == 1


def test_disconnect_wakes_the_held_connect_with_success_and_the_advice_not_to_come_back(world):
    peer = world.connected('/t/a')
    held = peer.poll(id='3')
    assert peer.ask('/meta/disconnect', id='4') == [
        {'channel': '/meta/disconnect', 'id': '4', 'successful': True}
    ]
    assert peer.released(held) == [
        {'channel': '/meta/connect', 'id': '3', 'successful': True, 'advice': {'reconnect': 'none'}}
    ]
    assert world.broker.sessions == ()
    assert world.broker.deadline is None


def test_a_session_is_unknown_after_its_disconnect(world):
    peer = world.connected()
    peer.ask('/meta/disconnect')
    assert peer.ask('/meta/disconnect')[0]['error'] == '402::session_unknown'
    assert world.violations() == ['after_disconnect']


def test_the_server_disconnects_with_a_message_before_the_last_connect_reply(world):
    peer = world.connected()
    peer.poll(id='3')
    assert world.broker.disconnect(world.now, peer.client_id) == 1
    world.collect()
    assert peer.released() == [
        {'channel': '/meta/disconnect', 'successful': True},
        {'channel': '/meta/connect', 'id': '3', 'successful': True, 'advice': {'reconnect': 'none'}},
    ]
    assert peer.connect()[0]['error'] == '402::session_unknown'


def test_the_server_disconnects_all_or_nobody(world):
    world.connected()
    world.connected()
    assert world.broker.disconnect(world.now, 'nobody') == 0
    assert world.broker.disconnect(world.now) == 2
    assert world.broker.sessions == ()


def test_a_restart_loses_everything_and_names_the_held_exchanges(world):
    peer = world.connected('/t/a')
    held = peer.poll()
    assert world.broker.restart(world.now) == (held,)
    world.collect()
    assert peer.released() is None
    assert world.broker.deadline is None
    world.broker.gone(held, world.now)  # as its connection breaks
    assert world.broker.journal.entries()[-1].kind is Kind.RESTARTED
    assert peer.connect()[0]['error'] == '402::session_unknown'
    assert peer.ask('/meta/unsubscribe', subscription='/t/a')[0]['error'] == '402::session_unknown'


def test_a_broken_connection_lets_the_session_live_its_time_and_keeps_its_events(world):
    peer = world.connected('/t/a')
    world.broker.gone(peer.poll(), world.now)
    assert world.broker.journal.entries()[-1].kind is Kind.GONE
    world.publish('/t/a', 1)
    world.wait(9.9)
    assert peer.connect()[0] == EVENT
    world.broker.gone(peer.poll(), world.now)
    world.wait(10.1)
    assert world.broker.sessions == ()


def test_a_server_that_does_not_notice_answers_into_the_void(make_world):
    world = make_world(notices_gone=False)
    peer = world.connected('/t/a')
    world.broker.gone(peer.poll(), world.now)
    world.publish('/t/a', 1)
    assert peer.released()[0] == EVENT
    peer.poll()  # the event is lost


def test_gone_exchanges_that_nobody_knows_are_ignored(world):
    world.broker.gone(77, world.now)
    assert world.broker.journal.entries() == []


def test_the_journal_tells_the_story_in_order(world):
    peer = world.connected('/t/a')
    mark = world.broker.journal.last_number
    peer.poll(id='5')
    world.publish('/t/a', 1)
    story = [(entry.kind, entry.channel) for entry in world.broker.journal.entries(after=mark)]
    assert story == [
        (Kind.REQUEST, '/meta/connect'),
        (Kind.HELD, '/meta/connect'),
        (Kind.PUBLISHED, '/t/a'),
        (Kind.EVENT, '/t/a'),
        (Kind.REPLY, '/meta/connect'),
        (Kind.ANSWER, '/meta/connect'),
    ]
    assert {entry.session for entry in world.broker.journal.entries(kind=Kind.EVENT)} == {peer.client_id}


def test_the_deadline_is_always_that_of_the_session_that_is_due_first(make_world):
    world = make_world(timeout=20.0, max_interval=10.0)
    first = world.connected()
    assert world.broker.deadline == world.now + 10.0
    first.poll()
    assert world.broker.deadline == world.now + 20.0
    world.wait(5.0)
    world.connected()
    assert world.broker.deadline == world.now + 10.0
    world.wait(10.1)
    assert world.broker.deadline == pytest.approx(world.now + 4.9)
