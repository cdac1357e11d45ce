"""Profile salesforce: subscriptions, replay, filters, events."""

import pytest

TOPIC = '/topic/InvoiceStatementUpdates'


def publish(world, count, channel=TOPIC, **fields):
    """Publish records; returns the replay ids that they were given."""
    for number in range(count):
        world.publish(channel, {'sobject': {'Id': str(number), **fields}})
    return ids(world.broker.manner.streams.logs.retained(channel, world.now))[-count:]


def ids(events):
    return [each['event']['replayId'] for each in events]


def replay(position, channel=TOPIC):
    return {'ext': {'replay': {channel: position}}}


def got(messages):
    """Replay ids of the events among messages."""
    return ids([each['data'] for each in messages if 'data' in each])


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('subscription', 'error'),
    [
        (None, '400::Channel name not specified'),
        ('', '400::Channel name not specified'),
        (5, '400::Channel name not specified'),
        ([None], '400::Channel name not specified'),
        ('topic/X', "400::Channel subscriptions must start with a leading '/'"),
        ('/meta/connect', '403::Restricted channel'),
        ('/service/x', '403::Restricted channel'),
        ('/topic/*', '400::The channel you requested to subscribe to does not exist {/topic/*}'),
        ('/u/x?a=1', '400::The channel you requested to subscribe to does not exist {/u/x}'),
        (f'{TOPIC}?Nope=1&Id=2', '400::Query fields Nope do not exist on the topic entity'),
    ],
)
def test_refused_subscriptions(salesforce, subscription, error):
    reply = salesforce.connected().subscribe(subscription, id='7')
    assert (reply['successful'], reply['error'], reply['id']) == (False, error, '7')
    assert 'advice' not in reply
    assert salesforce.broker.sessions[0].subscriptions == ()


def test_the_org_says_which_channels_there_are(salesforce):
    salesforce.org.problems['/topic/X'] = 'the org says no'
    peer = salesforce.connected()
    assert peer.subscribe('/topic/X')['error'] == 'the org says no'
    assert peer.subscribe("/topic/X?Status__c='Open'")['error'] == 'the org says no'
    assert peer.subscribe('/topic/x')['successful'] is True


def test_any_documented_refusal_can_be_asked_for(make_salesforce):
    text = '403::Subscriber does not have access to the entity in this topic'
    peer = make_salesforce(deny_subscribe={'/topic/**': text}).connected()
    assert peer.subscribe(TOPIC)['error'] == text
    assert peer.subscribe('/u/x')['successful'] is True


def test_a_list_of_channels_stops_at_the_first_refused_one(salesforce):
    peer = salesforce.connected()
    assert peer.subscribe(['/topic/A', 'B', '/topic/C'])['successful'] is False
    assert salesforce.broker.sessions[0].subscriptions == ('/topic/A',)


@pytest.mark.parametrize(
    'channel', ['/topic/X', '/u/a/b', '/event/Ink__e', '/data/ChangeEvents', '/systemTopic/L']
)
def test_every_kind_of_channel_can_be_subscribed_to(salesforce, channel):
    peer = salesforce.connected(channel)
    peer.poll()
    assert salesforce.publish(channel, {'payload': 'x'}) == 1
    [event, reply] = peer.released()
    assert (event['channel'], event['data']['payload'], reply['successful']) == (channel, 'x', True)


def test_unsubscribing_ends_it(salesforce):
    peer = salesforce.connected(TOPIC, '/topic/B')
    assert peer.ask('/meta/unsubscribe', subscription=[TOPIC, '/topic/Never'], id='8') == [
        {
            'channel': '/meta/unsubscribe',
            'id': '8',
            'subscription': [TOPIC, '/topic/Never'],
            'clientId': peer.client_id,
            'successful': True,
        }
    ]
    assert (salesforce.publish(TOPIC, {}), salesforce.publish('/topic/B', {})) == (0, 1)
    assert peer.ask('/meta/unsubscribe')[-1]['error'] == '400::Channel name not specified'


# --- replay -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('how', [{}, {'ext': {}}, {'ext': 5}, replay(-1), replay('-1')])
def test_by_default_only_new_events_come(salesforce, how):
    publish(salesforce, 2)
    peer = salesforce.connected()
    assert [each['channel'] for each in peer.ask('/meta/subscribe', subscription=TOPIC, **how)] == [
        '/meta/subscribe'
    ]
    peer.poll()
    [new] = publish(salesforce, 1)
    assert got(peer.released()) == [new]


@pytest.mark.parametrize('everything', [-2, '-2'])
def test_everything_that_is_kept_rides_on_the_reply(salesforce, everything):
    before = publish(salesforce, 3)
    peer = salesforce.connected()
    messages = peer.ask('/meta/subscribe', subscription=TOPIC, **replay(everything))
    assert got(messages) == before
    assert messages[-1]['channel'] == '/meta/subscribe'
    peer.poll()


@pytest.mark.parametrize('kind', [int, str])
def test_events_after_a_position_come(salesforce, kind):
    before = publish(salesforce, 3)
    peer = salesforce.connected()
    messages = peer.ask('/meta/subscribe', subscription=TOPIC, **replay(kind(before[0])))
    assert got(messages) == before[1:]


def test_replies_can_stand_before_the_events(make_salesforce):
    world = make_salesforce(replies_first=True)
    publish(world, 1)
    messages = world.connected().ask('/meta/subscribe', subscription=TOPIC, **replay(-2))
    assert [each['channel'] for each in messages] == ['/meta/subscribe', TOPIC]


def test_replayed_events_can_be_left_to_connects(make_salesforce):
    world = make_salesforce(meta_connect_deliver_only=True)
    before = publish(world, 2)
    peer = world.connected()
    held = peer.poll()
    assert got(peer.ask('/meta/subscribe', subscription=TOPIC, **replay(-2))) == []
    assert got(peer.released(held)) == before


@pytest.mark.parametrize('position', [1, '1', 'abc', True, 1.5, [], {}])
def test_a_position_that_never_was_is_refused(salesforce, position):
    publish(salesforce, 1)
    peer = salesforce.connected()
    reply = peer.subscribe(TOPIC, **replay(position))
    assert reply['error'] == (
        f'400::The replayId {{{position}}} you provided was invalid.  Please provide a valid ID,'
        ' -2 to replay all events, or -1 to replay only new events.'
    )
    peer.poll()  # the connection stays up, and silent
    publish(salesforce, 1)
    assert peer.released() is None


@pytest.mark.parametrize(
    ('channel', 'hours'), [(TOPIC, 24), ('/u/x', 24), ('/event/Ink__e', 72), ('/data/ChangeEvents', 72)]
)
def test_a_position_expires_with_its_event(salesforce, channel, hours):
    [last] = publish(salesforce, 1, channel)
    salesforce.wait(hours * 3600.0 - 1)
    assert salesforce.connected().subscribe(channel, **replay(last, channel))['successful'] is True
    salesforce.wait(1.0)
    peer = salesforce.connected()
    assert peer.subscribe(channel, **replay(last, channel))['error'].startswith('400::The replayId {')
    assert got(peer.ask('/meta/subscribe', subscription=channel, **replay(-2, channel))) == []


def test_retention_can_be_set(make_salesforce):
    world = make_salesforce(retention_topics=10.0, retention_events=20.0)
    topic, event = publish(world, 1), publish(world, 1, '/event/Ink__e')
    world.wait(15.0)
    assert world.connected().subscribe(TOPIC, **replay(topic[0]))['successful'] is False
    peer = world.connected()
    assert peer.subscribe('/event/Ink__e', **replay(event[0], '/event/Ink__e'))['successful'] is True


@pytest.mark.parametrize(
    'ext',
    [
        {'replay': {}},
        {'replay': True},
        {'replay': {TOPIC: None}},
        {'replay': {TOPIC.lower(): -1}},
        {'replay': {f'{TOPIC}?Status__c=Open': -1}},
    ],
)
def test_a_map_needs_the_channel_without_its_filter(salesforce, ext):
    reply = salesforce.connected().subscribe(f'{TOPIC}?Status__c=Open', ext=ext)
    assert reply['error'].startswith(f"400::The replayId for channel {{{TOPIC}}} wasn't found using")


def test_a_map_may_have_other_channels_too(salesforce):
    peer = salesforce.connected()
    ext = {'replay': {'/topic/Other': 5, TOPIC: -1}}
    assert peer.subscribe(TOPIC, ext=ext)['successful'] is True


def test_logs_outlive_sessions_and_restarts(salesforce):
    salesforce.connected(TOPIC)
    before = publish(salesforce, 2)
    salesforce.broker.restart(salesforce.now)
    peer = salesforce.connected()
    assert got(peer.ask('/meta/subscribe', subscription=TOPIC, **replay(before[0]))) == before[1:]


def test_a_chosen_id_may_be_a_text(salesforce):
    peer = salesforce.connected(TOPIC)
    salesforce.publish(TOPIC, {'event': {'replayId': 'AAAAB'}})
    salesforce.publish(TOPIC, {'event': {'replayId': 'AAAAA'}})
    assert got(peer.connect()) == ['AAAAB', 'AAAAA']
    other = salesforce.connected()
    assert got(other.ask('/meta/subscribe', subscription=TOPIC, **replay('AAAAB'))) == ['AAAAA']


@pytest.mark.parametrize('data', [5, None, 'x', [], {'event': 1}])
def test_what_is_no_event_of_salesforce_cannot_be_published(salesforce, data):
    salesforce.connected(TOPIC)
    with pytest.raises(ValueError, match='is an object'):
        salesforce.publish(TOPIC, data)


# --- filters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('query', ['Status__c=Open', "Status__c='Open'", "Status__c='Shut'&Status__c='Open'"])
def test_a_filter_lets_matching_events_through(salesforce, query):
    peer = salesforce.connected(f'{TOPIC}?{query}')
    held = peer.poll()
    publish(salesforce, 1, Status__c='Draft')
    assert peer.released(held) is None
    opened = publish(salesforce, 1, Status__c='Open')
    assert got(peer.released(held)) == opened
    assert peer.released(held)[0]['channel'] == TOPIC


def test_a_filter_holds_for_replayed_events_too(salesforce):
    publish(salesforce, 1, Status__c='Draft')
    opened = publish(salesforce, 1, Status__c='Open')
    peer = salesforce.connected()
    messages = peer.ask('/meta/subscribe', subscription=f'{TOPIC}?Status__c=Open', **replay(-2))
    assert got(messages) == opened


def test_events_may_name_the_filter(make_salesforce):
    world = make_salesforce(events_name_filter=True)
    peer = world.connected(TOPIC, f'{TOPIC}?Status__c=Open', f'{TOPIC}?Id=7')
    assert world.publish(TOPIC, {'sobject': {'Status__c': 'Open'}}) == 1
    assert [each['channel'] for each in peer.connect()] == [TOPIC, f'{TOPIC}?Status__c=Open', '/meta/connect']


def test_two_filters_of_one_client_give_one_copy(salesforce):
    one = salesforce.connected(f'{TOPIC}?Status__c=Open', f'{TOPIC}?Id=0')
    other = salesforce.connected(f'{TOPIC}?Id=0')
    opened = publish(salesforce, 1, Status__c='Open')
    assert (got(one.connect()), got(other.connect())) == (opened, opened)


# --- events -----------------------------------------------------------------------------------------------


def test_events_may_carry_the_client_id(make_salesforce):
    world = make_salesforce(events_name_client=True)
    publish(world, 1)
    one, two = world.connected(), world.connected(TOPIC)
    [event, _] = one.ask('/meta/subscribe', subscription=TOPIC, **replay(-2))
    assert event['clientId'] == one.client_id
    publish(world, 1)
    assert one.connect()[0]['clientId'] == one.client_id
    assert two.connect()[0]['clientId'] == two.client_id


# --- what is left -----------------------------------------------------------------------------------------


def test_limits_tell_what_is_left(make_salesforce):
    world = make_salesforce(daily_event_limit=10, client_limit=5)
    peer = world.connected(TOPIC)
    world.peer()
    publish(world, 3)
    assert peer.connect()[-1]['successful'] is True
    assert world.broker.manner.streams.allowances(world.now) == {
        'DailyDurableStreamingApiEvents': (10, 7),
        'DailyDurableGenericStreamingApiEvents': (10, 7),
        'DurableStreamingApiConcurrentClients': (5, 3),
    }


def test_what_is_left_is_never_less_than_nothing(make_salesforce):
    world = make_salesforce(daily_event_limit=2, client_limit=1)
    world.connected(TOPIC)
    publish(world, 3)
    world.broker.settings = world.broker.settings.changed({'daily_event_limit': 1, 'client_limit': 0})
    assert set(world.broker.manner.streams.allowances(world.now).values()) == {(1, 0), (0, 0)}


def test_limits_that_are_none_are_not_told(make_salesforce):
    world = make_salesforce(daily_event_limit=-1)
    assert set(world.broker.manner.streams.allowances(0.0)) == {'DurableStreamingApiConcurrentClients'}
