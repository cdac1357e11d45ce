"""Our client against servers that others wrote: CometD's for Node, and faye's."""

import pytest

from nameko_salesforce.bayeux import ChannelState, ExchangeFailed, PublishRefused, State, SubscriptionRefused
from tests.interop.differences import expects
from tests.interop.ours import Inbox, wait_for_channel, wait_for_state
from tests.interop.programs import SECONDS, TICK, wait_until

HANDSHAKE, CONNECT, DISCONNECT = '/meta/handshake', '/meta/connect', '/meta/disconnect'


NESTED = [1, [2, {'three': None}]]


def subscribe(client, channel, inbox=None):
    """Subscribe, wait for the server's yes and return the inbox."""
    inbox = Inbox() if inbox is None else inbox
    client.subscribe(channel, inbox).get(timeout=SECONDS)
    return inbox


def publish(client, channel, data):
    """Publish and wait for the server's yes."""
    client.publish(channel, data).get(timeout=SECONDS)


# --- the connection ------------------------------------------------------------------------------


def test_the_second_connect_is_held(server, connect):
    connect(server.url)

    wait_until(server.held, 'a held connect')
    assert len(server.exchanges(CONNECT)) == 2


@pytest.mark.row('held poll')
def test_a_held_connect_is_renewed_when_the_server_answers_it(name, start_server, connect):
    server = start_server(name, timeout=300)
    client = connect(server.url)

    wait_until(lambda: len(server.exchanges(CONNECT)) >= 5, 'five connects')
    assert client.state is State.CONNECTED


@pytest.mark.row('handshake')
def test_many_connects_take_one_handshake_and_never_overlap(name, start_server, connect):
    """The old library made 37 handshakes in two seconds here, because it overlooked the advice."""
    # faye forgets a session that sent no connect for twice the time; a busy machine may stop us for a while.
    # Below 50 ms a hold would count as none, after which polls rest.
    hold, connects = {'cometd': (100, 40), 'java': (100, 40), 'faye': (300, 10)}[name]
    server = start_server(name, timeout=hold)
    connect(server.url)

    wait_until(lambda: len(server.exchanges(CONNECT)) >= connects, f'{connects} connects')
    assert len(server.exchanges(HANDSHAKE)) == 1
    assert server.most_outstanding(CONNECT) == 1


def test_a_connect_is_waited_for_as_long_as_the_server_advised(name, start_server, connect):
    """Half a second is what the client would wait without the advice of a second."""
    server = start_server(name, timeout=1000)
    connect(server.url, assumed_hold=0.0, network_allowance=10 * TICK)

    wait_until(lambda: len(server.exchanges(CONNECT)) == 3, 'the end of the held connect')

    assert [reply['successful'] for reply in server.exchanges(CONNECT)[1].replies] == [True]


def test_the_client_rests_between_connects_for_the_interval_that_the_server_advised(
    cometd, start_server, connect
):
    server = start_server(cometd, interval=300, timeout=50)
    connect(server.url)

    wait_until(lambda: len(server.exchanges(CONNECT)) == 4, 'four connects')

    connects = server.exchanges(CONNECT)
    rests = [after.began_at - before.ended_at for before, after in zip(connects, connects[1:], strict=False)]
    assert min(rests) >= 0.299, rests


@pytest.mark.row('disconnect')
def test_a_stop_ends_the_session_on_the_server(server, connect):
    client = connect(server.url)
    assert len(server.ask('sessions')) == 1

    client.stop()

    assert server.ask('sessions') == []
    assert len(server.exchanges(DISCONNECT)) == 1


def test_a_stop_leaves_no_connect_at_the_server(server, connect):
    client = connect(server.url)
    wait_until(server.held, 'a held connect')

    client.stop()

    wait_until(lambda: not server.held(), 'the end of the held connect')


def test_a_client_that_was_stopped_can_start_again(server, connect):
    client = connect(server.url)
    inbox = subscribe(client, '/chat')
    client.stop()

    client.start()

    wait_for_state(client, State.CONNECTED)
    wait_for_channel(client, '/chat', ChannelState.ACTIVE)
    server.ask('publish', channel='/chat', data='again')
    assert inbox.wait_for(1) == ['again']


def test_a_client_that_is_older_than_its_server_connects_when_that_comes(server, begin):
    server.kill()
    client = begin(server.url)
    wait_for_state(client, State.PAUSING)

    server.start()

    wait_for_state(client, State.CONNECTED)


# --- subscriptions and events --------------------------------------------------------------------


@pytest.mark.row('subscribe')
def test_an_event_of_a_subscribed_channel_arrives(server, connect):
    inbox = subscribe(connect(server.url), '/chat')

    server.ask('publish', channel='/chat', data={'text': 'hello', 'n': 1})

    assert inbox.wait_for(1) == [{'text': 'hello', 'n': 1}]
    assert inbox.events[0].channel == '/chat'


@pytest.mark.row('publish')
def test_a_publisher_gets_its_own_event_once(server, connect):
    client = connect(server.url)
    inbox = subscribe(client, '/chat')

    publish(client, '/chat', 'first')
    publish(client, '/chat', 'second')

    assert inbox.wait_for(2) == ['first', 'second']


@pytest.mark.parametrize(
    'data',
    ['', 0, False, [], {}, NESTED, 'Zażółć 🐢 \u2028 "\\\n', 'x' * 30_000],
    ids=['text', 'zero', 'false', 'list', 'object', 'nested', 'unicode', 'large'],
)
def test_data_comes_back_as_it_went(server, connect, data):
    client = connect(server.url)
    inbox = subscribe(client, '/chat')
    if data == NESTED and expects('no array in an array', server.name):
        with pytest.raises(ExchangeFailed, match='400'):
            publish(client, '/chat', data)
        return

    publish(client, '/chat', data)

    assert inbox.wait_for(1) == [data]


def test_an_event_of_a_megabyte_arrives(server, connect):
    inbox = subscribe(connect(server.url), '/chat')

    server.ask('publish', channel='/chat', data='🐢' * 250_000)

    assert inbox.wait_for(1) == ['🐢' * 250_000]


def test_an_unsubscribed_channel_brings_nothing_more(server, connect):
    client = connect(server.url)
    left, kept = subscribe(client, '/left'), subscribe(client, '/kept')

    client.unsubscribe('/left').get(timeout=SECONDS)

    assert server.ask('subscriptions') == ['/kept']
    server.ask('publish', channel='/left', data=1)
    server.ask('publish', channel='/kept', data=2)
    assert kept.wait_for(1) == [2]
    assert left.data == []


def test_several_channels_bring_each_its_own(server, connect):
    client = connect(server.url)
    channels = [f'/room/{n}' for n in range(20)]
    inboxes = {channel: Inbox() for channel in channels}
    answers = [client.subscribe(channel, inbox) for channel, inbox in inboxes.items()]
    for answer in answers:
        answer.get(timeout=SECONDS)

    for channel in channels:
        server.ask('publish', channel=channel, data=channel)

    assert {channel: inbox.wait_for(1) for channel, inbox in inboxes.items()} == {
        channel: [channel] for channel in channels
    }


@pytest.mark.row('wildcard')
def test_one_star_matches_one_segment_and_two_match_any_number(server, connect):
    client = connect(server.url)
    one, any_number, end = (
        subscribe(client, '/one/*'),
        subscribe(client, '/any/**'),
        subscribe(client, '/end'),
    )

    for channel in ('/one', '/one/a', '/one/a/b', '/any', '/any/a', '/any/a/b', '/end'):
        server.ask('publish', channel=channel, data=channel)

    end.wait_for(1)
    assert one.wait_for(1) == ['/one/a']
    assert any_number.wait_for(2) == ['/any/a', '/any/a/b']
    assert [event.channel for event in any_number.events] == ['/any/a', '/any/a/b']


def test_each_of_two_subscriptions_that_match_is_called(server, connect):
    client = connect(server.url)
    exact, wild, end = subscribe(client, '/a/b'), subscribe(client, '/a/*'), subscribe(client, '/end')

    server.ask('publish', channel='/a/b', data='x')
    server.ask('publish', channel='/end', data='end')

    end.wait_for(1)
    copies = 2 if expects('a copy per matching subscription', server.name) else 1
    assert exact.data == ['x'] * copies
    assert wild.data == ['x'] * copies


@pytest.mark.row('10,000 events')
def test_ten_thousand_events_arrive_in_order(server, connect):
    inbox = subscribe(connect(server.url), '/flood')

    server.ask('flood', channel='/flood', count=10_000)

    assert inbox.wait_for(10_000) == [{'n': n} for n in range(10_000)]


@pytest.mark.row('batch')
def test_a_thousand_messages_of_one_client_reach_another_in_order(server, connect):
    inbox = subscribe(connect(server.url), '/flood')
    publisher = connect(server.url)

    answers = [publisher.publish('/flood', n) for n in range(1000)]

    for answer in answers:
        answer.get(timeout=SECONDS)
    assert inbox.wait_for(1000) == list(range(1000))


def test_commands_do_not_wait_for_the_held_connect(server, connect):
    client = connect(server.url)
    held = wait_until(server.held, 'a held connect')

    publish(client, '/elsewhere', 1)
    subscribe(client, '/chat')
    client.unsubscribe('/chat').get(timeout=SECONDS)

    assert [each.began for each in server.held()] == [each.began for each in held]


def test_two_clients_of_one_process_have_a_session_each(server, connect):
    first, second = connect(server.url), connect(server.url)
    inboxes = subscribe(first, '/chat'), subscribe(second, '/chat')

    publish(first, '/chat', 'from the first')
    publish(second, '/chat', 'from the second')

    assert len(server.ask('sessions')) == 2
    for inbox in inboxes:
        assert inbox.wait_for(2) == ['from the first', 'from the second']
    assert len(server.exchanges(HANDSHAKE)) == 2


def test_two_clients_of_one_process_are_both_held(server, connect):
    connect(server.url)
    connect(server.url)

    wait_until(lambda: len(server.held()) == 2, 'two held connects')


# --- refusals ------------------------------------------------------------------------------------


def test_a_refused_subscription_raises_and_shows(server, connect):
    client = connect(server.url)
    server.ask('refuse', channel='/secret')

    with pytest.raises(SubscriptionRefused, match='403:'):
        client.subscribe('/secret', Inbox()).get(timeout=SECONDS)

    assert client.channels['/secret'].state is ChannelState.REFUSED
    assert '403:' in client.channels['/secret'].reason


def test_a_refused_subscription_does_not_disturb_the_others(server, connect):
    client = connect(server.url)
    inbox = subscribe(client, '/chat')
    server.ask('refuse', channel='/secret')

    with pytest.raises(SubscriptionRefused):
        client.subscribe('/secret', Inbox()).get(timeout=SECONDS)

    server.ask('publish', channel='/chat', data='still here')
    assert inbox.wait_for(1) == ['still here']
    assert len(server.exchanges(HANDSHAKE)) == 1


def test_a_refused_subscription_is_made_once_the_server_allows_it(server, connect):
    client, inbox = connect(server.url), Inbox()
    server.ask('refuse', channel='/secret')
    with pytest.raises(SubscriptionRefused):
        client.subscribe('/secret', inbox).get(timeout=SECONDS)

    server.ask('allow', channel='/secret')

    wait_for_channel(client, '/secret', ChannelState.ACTIVE)
    server.ask('publish', channel='/secret', data='open')
    assert inbox.wait_for(1) == ['open']


def test_a_refused_message_raises_and_the_session_goes_on(server, connect):
    client = connect(server.url)
    server.ask('refuse', channel='/secret')

    with pytest.raises(PublishRefused, match='403:'):
        client.publish('/secret', 1).get(timeout=SECONDS)

    publish(client, '/chat', 2)
    assert len(server.exchanges(HANDSHAKE)) == 1


# --- the way back --------------------------------------------------------------------------------


@pytest.mark.row('server restart')
def test_a_restarted_server_is_found_again_with_all_subscriptions(server, connect):
    client = connect(server.url)
    inbox, wild = subscribe(client, '/chat'), subscribe(client, '/room/**')
    server.ask('publish', channel='/chat', data='before')
    inbox.wait_for(1)

    server.restart()

    wait_until(lambda: sorted(server.ask('subscriptions')) == ['/chat', '/room/**'], 'both subscriptions')
    server.ask('publish', channel='/chat', data='after')
    server.ask('publish', channel='/room/a/b', data='after')
    assert inbox.wait_for(2) == ['before', 'after']
    assert wild.wait_for(1) == ['after']
    assert len(server.exchanges(HANDSHAKE)) == 1


@pytest.mark.row('session expiry')
def test_a_session_that_the_server_forgot_is_replaced_with_all_subscriptions(server, connect):
    client = connect(server.url)
    inbox = subscribe(client, '/chat')
    (old,) = server.ask('sessions')

    server.ask('forget')

    wait_until(lambda: server.ask('subscriptions') == ['/chat'], 'the subscription')
    (new,) = server.ask('sessions')
    assert new != old
    server.ask('publish', channel='/chat', data='after')
    assert inbox.wait_for(1) == ['after']
    assert len(server.exchanges(HANDSHAKE)) == 2
    assert server.most_outstanding(CONNECT) == 1


def test_a_message_published_while_the_server_is_away_is_sent_when_it_is_back(server, connect):
    client = connect(server.url)
    server.kill()
    wait_until(lambda: client.state is not State.CONNECTED, 'the loss of the connection')

    answer = client.publish('/chat', 'late')
    server.start()

    answer.get(timeout=SECONDS)
    assert len(server.exchanges('/chat')) == 1


# --- the CometD server alone ---------------------------------------------------------------------


@pytest.fixture
def cometd_server(cometd, start_server):
    return start_server(cometd)


@pytest.fixture
def ack_server(cometd, start_server):
    return start_server(cometd, ack=True)


def test_a_client_that_the_server_disconnects_does_as_it_is_told(cometd_server, connect):
    assert expects('no server-side disconnect', 'faye')
    client = connect(cometd_server.url)
    inbox = subscribe(client, '/chat')
    (old,) = cometd_server.ask('sessions')

    cometd_server.ask('disconnect')

    if not expects('a goodbye that is none', cometd_server.name):
        wait_for_state(client, State.HALTED)
        assert 'the server advised to stop' in client.why
        return
    wait_until(lambda: cometd_server.ask('subscriptions') == ['/chat'], 'the subscription')
    assert cometd_server.ask('sessions') != [old]
    cometd_server.ask('publish', channel='/chat', data='after')
    assert inbox.wait_for(1) == ['after']


def test_a_session_whose_client_fell_silent_expires(cometd, start_server, connect):
    server = start_server(cometd, maxInterval=100, sweepPeriod=20, timeout=100)
    client = connect(server.url)

    client.kill()

    assert server.wait_for('closed')[0]['expired'] is True


def test_a_server_without_the_acknowledge_extension_is_not_sent_any_acknowledgement(server, connect):
    assert expects('no acknowledge extension', 'faye')
    inbox = subscribe(connect(server.url, ack=True), '/chat')

    server.ask('publish', channel='/chat', data=1)

    assert inbox.wait_for(1) == [1]
    assert all('ext' not in request for each in server.exchanges(CONNECT) for request in each.requests)


def test_every_connect_acknowledges_the_batch_of_the_one_before(ack_server, connect):
    inbox = subscribe(connect(ack_server.url, ack=True), '/chat')

    for n in range(5):
        ack_server.ask('publish', channel='/chat', data=n)
        inbox.wait_for(n + 1)

    wait_until(ack_server.held, 'a held connect')
    connects = ack_server.exchanges(CONNECT)
    sent = [each.requests[0]['ext']['ack'] for each in connects]
    received = [reply['ext']['ack'] for each in connects for reply in each.replies if 'ext' in reply]
    assert sent == [0, *received]
    assert received == list(range(1, len(received) + 1))
    assert inbox.data == [0, 1, 2, 3, 4]


@pytest.mark.row('acknowledge extension')
def test_an_event_in_a_response_that_was_lost_comes_again_under_acknowledgement(ack_server, connect):
    inbox = subscribe(connect(ack_server.url, ack=True), '/chat')

    ack_server.ask('lose')
    ack_server.ask('publish', channel='/chat', data='lost once')

    assert inbox.wait_for(1) == ['lost once']
    ack_server.ask('publish', channel='/chat', data='next')
    assert inbox.wait_for(2) == ['lost once', 'next']
    assert len(ack_server.exchanges(HANDSHAKE)) == 1


def test_a_response_that_was_lost_costs_its_events_but_not_the_session(server, connect):
    """At most once: without acknowledgement a server forgets an event when it has sent it."""
    inbox = subscribe(connect(server.url), '/chat')

    server.ask('lose')
    server.ask('publish', channel='/chat', data='lost')
    server.wait_for('lost')
    wait_until(lambda: len(server.held()) == 1, 'the next held connect')
    server.ask('publish', channel='/chat', data='next')

    assert inbox.wait_for(1) == ['next']
    assert len(server.exchanges(HANDSHAKE)) == 1


def test_a_thousand_events_arrive_in_order_under_acknowledgement(ack_server, connect):
    client = connect(ack_server.url, ack=True)
    inbox = subscribe(client, '/flood')

    ack_server.ask('flood', channel='/flood', count=500)
    answers = [client.publish('/flood', {'n': n}) for n in range(500, 1000)]

    for answer in answers:
        answer.get(timeout=SECONDS)
    assert inbox.wait_for(1000) == [{'n': n} for n in range(1000)]
