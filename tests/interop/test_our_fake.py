"""Our fake server against clients that others wrote: CometD's JavaScript client in Node, and faye's."""

import pytest

from tests.interop.differences import expects
from tests.interop.programs import Program, wait_until

# Options under which a client gives up and tries again within a fraction of a second instead of seconds.
COMETD = {'maxNetworkDelay': 1000, 'backoffIncrement': 50}
QUICK = {'cometd': COMETD, 'java': COMETD, 'faye': {'retry': 0.05}}


@pytest.fixture
def allowed():
    """The names of the violations that a test provokes."""
    return set()


@pytest.fixture
def started():
    """The clients of a test, each with its kind."""
    return []


def names_its_old_session(violation, started):
    """Whether this is the known difference: in a handshake, the id that an earlier one gave to a client."""
    return violation.detail['violation'] == 'field_forbidden' and any(
        expects('names its old session', kind)
        and program.find('reply', channel='/meta/handshake', successful=True, clientId=violation.session)
        for kind, program in started
    )


@pytest.fixture
def fake(fake_cometd, allowed, started):
    """The fake, and at the end the proof that it calls nothing a violation that clients of others do."""
    yield fake_cometd
    found = [each for each in fake_cometd.violations() if not names_its_old_session(each, started)]
    assert {each.detail['violation'] for each in found} == allowed, found


@pytest.fixture
def start_client(start_program, fake, started):
    """Start a client by its name, without connecting it."""

    def start(kind, **options):
        script = 'CometdClient' if kind == 'java' else f'{kind}_client.js'
        program = Program(script, url=fake.url, **options)
        start_program(program)
        started.append((kind, program))
        program.wait_for('ready')
        return program

    return start


@pytest.fixture
def client(kind, start_client):
    """Each client in turn, connected."""
    program = start_client(kind)
    assert program.ask('handshake')['successful']
    return program


def subscribe(client, *channels):
    for channel in channels:
        assert client.ask('subscribe', channel=channel)['successful']


def events(client, count, **fields):
    """Wait for a number of events and return the data of all there are by then."""
    return [each['data'] for each in client.wait_for('event', count=count, **fields)]


# --- the connection ------------------------------------------------------------------------------


@pytest.mark.row('handshake')
def test_a_client_is_connected_and_held(fake, client):
    fake.wait_for('held')

    assert len(fake.sessions()) == 1


@pytest.mark.row('held poll')
def test_a_held_connect_is_renewed_when_it_is_answered(fake, client):
    for n in range(1, 4):
        fake.wait_for('held', count=n)
        fake.advance(30.0)

    fake.wait_for('held', count=4)
    assert len(fake.journal('opened')) == 1


@pytest.mark.row('disconnect')
def test_a_disconnect_ends_the_session_and_the_held_connect(fake, client):
    fake.wait_for('held')

    assert client.ask('disconnect')['successful']

    fake.wait_for('closed', why='disconnect')
    fake.wait_for('reply', channel='/meta/connect', count=2)
    assert fake.sessions() == []


# --- subscriptions and events --------------------------------------------------------------------


@pytest.mark.row('subscribe')
def test_an_event_of_a_subscribed_channel_arrives(fake, client):
    subscribe(client, '/chat')

    assert fake.publish('/chat', {'text': 'Zażółć 🐢'}) == 1

    assert events(client, 1) == [{'text': 'Zażółć 🐢'}]


@pytest.mark.row('publish')
def test_a_publisher_gets_its_own_event(fake, client):
    subscribe(client, '/chat')

    assert client.ask('publish', channel='/chat', data=[1])['successful']

    assert events(client, 1) == [[1]]


def test_an_event_passes_from_client_to_client(fake, client, start_client, kind):
    other = start_client(kind)
    assert other.ask('handshake')['successful']
    subscribe(other, '/chat')

    assert client.ask('publish', channel='/chat', data='hello')['successful']

    assert events(other, 1) == ['hello']


@pytest.mark.row('wildcard')
def test_one_star_matches_one_segment_and_two_match_any_number(fake, client):
    subscribe(client, '/one/*', '/any/**', '/end')

    for channel in ('/one', '/one/a', '/one/a/b', '/any', '/any/a', '/any/a/b', '/end'):
        fake.publish(channel, channel)

    events(client, 1, subscription='/end')
    assert events(client, 1, subscription='/one/*') == ['/one/a']
    assert events(client, 2, subscription='/any/**') == ['/any/a', '/any/a/b']


def test_an_event_for_two_subscriptions_is_sent_once_and_given_to_both(fake, client):
    subscribe(client, '/a/*', '/a/b', '/end')

    fake.publish('/a/b', 'x')
    fake.publish('/end', 'end')

    events(client, 1, subscription='/end')
    assert events(client, 1, subscription='/a/*') == ['x']
    assert events(client, 1, subscription='/a/b') == ['x']
    assert len(fake.journal('event', channel='/a/b')) == 1


def test_an_unsubscribed_channel_brings_nothing_more(fake, client):
    subscribe(client, '/left', '/kept')

    client.ask('unsubscribe', channel='/left')

    fake.wait_for('reply', channel='/meta/unsubscribe', successful=True)
    assert fake.publish('/left', 1) == 0
    fake.publish('/kept', 2)
    assert events(client, 1) == [2]


def test_a_refused_subscription_is_understood_as_refused(fake, client):
    fake.configure(deny_subscribe={'/secret': 'not_yours'})

    reply = client.ask('subscribe', channel='/secret')

    assert not reply['successful']
    assert reply['error'].startswith('403:not_yours:')


def test_a_refused_message_is_understood_as_refused(fake, client):
    fake.configure(deny_publish={'/secret': 'not_yours'})

    reply = client.ask('publish', channel='/secret', data=1)

    assert not reply['successful']
    assert reply['error'].startswith('403:not_yours:')


@pytest.mark.row('batch')
def test_a_batch_is_answered_in_one_response(fake, client):
    fake.wait_for('held')
    mark = fake.mark()

    replies = client.ask('batch', subscribe='/chat', publish=['/chat', 'mine'])

    assert [reply['successful'] for reply in replies] == [True, True]
    assert events(client, 1) == ['mine']
    answered = fake.journal('reply', after=mark)
    assert [each.channel for each in answered][:2] == ['/meta/subscribe', '/chat']
    assert answered[0].exchange == answered[1].exchange


def test_commands_do_not_wait_for_the_held_connect(fake, client):
    (held,) = fake.wait_for('held')

    subscribe(client, '/chat')
    client.ask('publish', channel='/elsewhere', data=1)

    assert fake.journal('answer', after=held.number)[0].exchange != held.exchange
    assert [each for each in fake.journal('answer') if each.exchange == held.exchange] == []


@pytest.mark.row('10,000 events')
def test_ten_thousand_events_arrive_in_order(fake, client):
    subscribe(client, '/flood')

    fake.publish_many([('/flood', n) for n in range(10_000)])

    assert events(client, 10_000) == list(range(10_000))


def test_a_thousand_events_one_by_one_arrive_in_order(fake, client):
    subscribe(client, '/flood')

    for n in range(1000):
        fake.publish('/flood', n)

    assert events(client, 1000) == list(range(1000))


def test_a_thousand_messages_of_one_client_reach_another_in_order(fake, client, start_client, kind):
    publisher = start_client(kind)
    assert publisher.ask('handshake')['successful']
    subscribe(client, '/flood')

    publisher.ask('flood', channel='/flood', count=1000)

    assert events(client, 1000) == [{'n': n} for n in range(1000)]


# --- the way back --------------------------------------------------------------------------------


def events_flow_again(fake, client):
    """Subscribed anew, and an event arrives."""
    wait_until(lambda: [each['subscriptions'] for each in fake.sessions()] == [['/chat']], 'the subscription')
    fake.publish('/chat', 'after')
    assert events(client, 1)[-1] == 'after'


@pytest.mark.row('session expiry')
def test_an_expired_session_is_replaced(fake, start_client, kind):
    # The interval is the only time in which a client that is well can miss its deadline.
    fake.configure(interval=1.0)
    client = start_client(kind)
    if not expects('a command polls at once', kind):
        assert client.ask('handshake')['successful']
    subscribe(client, '/chat')
    fake.wait_for('answer', channel='/meta/connect')

    fake.advance(3600.0)

    fake.wait_for('closed', why='expired')
    events_flow_again(fake, client)
    assert len(fake.journal('opened')) == 2


def test_sessions_lost_by_the_server_are_replaced(fake, client, kind, started):
    subscribe(client, '/chat')

    fake.restart()

    fake.wait_for('opened', count=2)
    events_flow_again(fake, client)
    named = [each for each in fake.violations() if names_its_old_session(each, started)]
    assert len(named) == expects('names its old session', kind)


@pytest.mark.row('server restart')
def test_a_server_that_went_away_and_came_back_is_found_again(fake, client):
    subscribe(client, '/chat')
    fake.kill()

    fake.start()

    events_flow_again(fake, client)


def test_a_refused_handshake_is_understood_as_refused(fake, cometd, start_client):
    fake.configure(deny_handshake=True)
    client = start_client(cometd)

    reply = client.ask('handshake')

    assert not reply['successful']
    assert reply['error'].startswith('403:')
    wait_until(lambda: client.ask('status') == 'disconnected', 'the end of the client')


def test_a_client_that_the_server_disconnects_stays_away(fake, client):
    fake.wait_for('held')

    assert fake.disconnect_all() == 1

    fake.wait_for('closed', why='server')
    client.wait_for('reply', channel='/meta/connect', count=2)
    assert client.find('reply', channel='/meta/connect')[-1]['advice']['reconnect'] == 'none'


@pytest.mark.parametrize(
    ('fault', 'fields'),
    [
        pytest.param(fault, fields, id=fault)
        for fault, fields in {
            'drop_before': {},
            'drop_after': {},
            'truncate': {'bytes': 10},
            'html': {},
            'empty': {},
            'status': {'status': 503},
            'garbage': {},
            'reset': {},
        }.items()
    ],
)
def test_after_a_broken_connect_events_flow_in_the_same_session(fake, start_client, kind, fault, fields):
    # Short, because faye's client sees that a response broke off only when its own time is over.
    assert expects('a broken response is only timed out', 'faye')
    fake.configure(timeout=0.3)
    client = start_client(kind, **QUICK[kind])
    assert client.ask('handshake')['successful']
    subscribe(client, '/chat')
    fake.wait_for('held')
    fake.faults.add(fault, channel='/meta/connect', **fields)

    struck = fake.wait_for('fault')[0].exchange
    wait_until(
        lambda: [each for each in fake.journal('held') if each.exchange > struck],
        'a connect after the broken one',
    )
    fake.publish('/chat', 'after')

    assert events(client, 1) == ['after']
    assert len(fake.journal('opened')) == 1


def test_a_connect_that_its_client_gave_up_is_overtaken_by_the_next(fake, start_client, kind, allowed):
    fake.configure(timeout=0.5, notices_gone=False)
    client = start_client(kind, **QUICK[kind])
    assert client.ask('handshake')['successful']
    subscribe(client, '/chat')
    fake.wait_for('held')
    allowed.add('overtaking')

    fake.configure(timeout=60.0)

    (overtaking, *_) = fake.wait_for('violation')
    fake.wait_for('answer', status=500)
    fake.wait_for('held', after=overtaking.number)
    fake.publish('/chat', 'after')
    assert events(client, 1) == ['after']
    assert len(fake.journal('opened')) == 1


# --- the acknowledge extension: CometD's client alone ---------------------------------------------


@pytest.fixture
def ack_client(cometd, start_client):
    assert expects('no acknowledge extension', 'faye')
    program = start_client(cometd, ack=True, **QUICK[cometd])
    assert program.ask('handshake')['ext']['ack'] is True
    return program


def test_every_connect_acknowledges_the_batch_of_the_one_before(fake, ack_client):
    subscribe(ack_client, '/chat')

    for n in range(5):
        fake.publish('/chat', n)
        assert events(ack_client, n + 1) == list(range(n + 1))

    fake.wait_for('held', after=fake.journal('event')[-1].number)
    sent = [each.detail['ext']['ack'] for each in fake.journal('request', channel='/meta/connect')]
    received = [each.detail['ext']['ack'] for each in fake.journal('reply', channel='/meta/connect')]
    assert received == list(range(1, len(received) + 1))
    assert sent == [0, *received]


@pytest.mark.row('acknowledge extension')
@pytest.mark.parametrize('fault', ['drop_after', 'truncate', 'reset'])
def test_an_event_in_a_response_that_was_lost_comes_again_under_acknowledgement(fake, ack_client, fault):
    subscribe(ack_client, '/chat')
    fake.wait_for('held')
    fake.faults.add(fault, channel='/meta/connect')
    fake.publish('/chat', 'first')
    assert events(ack_client, 1) == ['first']
    fake.wait_for('held', count=2)

    fake.publish('/chat', 'lost once')

    assert events(ack_client, 2) == ['first', 'lost once']
    fake.publish('/chat', 'next')
    assert events(ack_client, 3) == ['first', 'lost once', 'next']
    assert len(fake.journal('fault')) == 1
    assert len(fake.journal('opened')) == 1


def test_a_thousand_events_arrive_in_order_under_acknowledgement(fake, ack_client):
    subscribe(ack_client, '/flood')

    for n in range(0, 1000, 100):
        fake.publish_many([('/flood', n) for n in range(n, n + 99)])
        ack_client.ask('publish', channel='/flood', data=n + 99)

    assert events(ack_client, 1000) == list(range(1000))
