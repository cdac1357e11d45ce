import pytest

DENIED = '403:denied_by_security_policy:create_denied'


def missing(channel):
    return f'400::The channel you requested to subscribe to does not exist {{{channel}}}'


@pytest.fixture
def world(make_world):
    return make_world(channels={'/data/Sales__chn': ['Lead'], '/event/Ink__chn': ['Low_Ink__e']})


@pytest.mark.parametrize(
    'channel',
    [
        '/topic/InvoiceStatementUpdates',
        '/u/notifications/ExampleUserChannel',
        '/event/Low_Ink__e',
        '/event/Ink__chn',
        '/data/ChangeEvents',
        '/data/AccountChangeEvent',
        '/data/ContactChangeEvent',
        '/data/Sales__chn',
        '/systemTopic/Logging',
    ],
)
def test_these_channels_are_open(world, channel):
    assert world.org.topic_problem(channel, []) is None


@pytest.mark.parametrize(
    'channel',
    [
        '/topic/AccountUpdates',
        '/topic/invoicestatementupdates',
        '/event/Nope__e',
        '/event/low_ink__e',
        '/event/Contact__e',
        '/event/Nope__chn',
        '/event/Sales__chn',
        '/data/LeadChangeEvent',
        '/data/NopeChangeEvent',
        '/data/Nope__chn',
    ],
)
def test_these_do_not_exist(world, channel):
    assert world.org.topic_problem(channel, []) == missing(channel)


@pytest.mark.parametrize(
    'channel',
    [
        '/event/Panoptes_Event_Channel',
        '/data/Account',
        '/nope/X',
        '/meta/connect',
        '/topic',
        '/topic/',
        '/topic/A/B',
        '/u/',
        '/',
    ],
)
def test_these_cannot_be_channels(world, channel):
    assert world.org.topic_problem(channel, []) == DENIED


def test_a_channel_begins_with_a_slash(world):
    assert (
        world.org.topic_problem('topic/X', []) == "400::Channel subscriptions must start with a leading '/'"
    )


def test_a_topic_exists_while_it_is_active(world):
    topic = world.topic('SELECT Id, Name FROM Contact', IsActive=False)
    assert world.org.topic_problem('/topic/Watch', []) == missing('/topic/Watch')
    world.update('PushTopic', topic, IsActive=True)
    assert world.org.topic_problem('/topic/Watch', []) is None
    world.update('PushTopic', topic, Name='Other')
    assert world.org.topic_problem('/topic/Watch', []) == missing('/topic/Watch')
    world.delete('PushTopic', topic)
    assert world.org.topic_problem('/topic/Other', []) == missing('/topic/Other')


def test_a_filter_looks_at_selected_fields(world):
    world.topic("SELECT Id, Name FROM Contact WHERE Phone != '1'")
    assert world.org.topic_problem('/topic/Watch', ['name', 'Id']) is None
    assert world.org.topic_problem('/topic/Watch', ['Name', 'Phone', 'Email']) == (
        '400::Query fields {Phone, Email} do not exist on the topic entity'
    )


def test_generic_channels_are_those_of_the_org(world):
    assert world.org.topic_problem('/u/other', []) == '404::Unknown channel'
    record_id = world.create('StreamingChannel', Name='/u/other')
    assert world.org.topic_problem('/u/other', []) is None
    assert world.org.topic_problem('/u/Other', []) == '404::channel names may not vary only by case'
    world.delete('StreamingChannel', record_id)
    assert world.org.topic_problem('/u/other', []) == '404::Unknown channel'


def test_a_topic_that_is_made_again_after_its_deletion_is_open(world):
    first = world.topic('SELECT Id, Name FROM Contact', name='Again')
    world.delete('PushTopic', first)
    assert world.org.topic_problem('/topic/Again', []) == missing('/topic/Again')
    world.topic('SELECT Id, Name FROM Contact', name='Again')
    assert world.org.topic_problem('/topic/Again', []) is None
