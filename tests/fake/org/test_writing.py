import pytest
from fake_salesforce.org import OrgError

QUERY = 'SELECT Id, Name FROM Contact'


def test_a_topic_is_refused_like_any_record_and_for_its_query(world):
    with pytest.raises(OrgError) as refused:
        world.topic(QUERY, name='x' * 26)
    assert refused.value.code == 'STRING_TOO_LONG'
    with pytest.raises(OrgError) as refused:
        world.topic(f"SELECT Id FROM Contact WHERE LastName = '{'x' * 1300}'")
    assert refused.value.code == 'STRING_TOO_LONG'
    with pytest.raises(OrgError) as refused:
        world.topic('SELECT Id, Name FROM Contact LIMIT 1')
    assert refused.value.code == 'INVALID_FIELD'
    with pytest.raises(OrgError) as refused:
        world.org.create(
            'PushTopic', {'Name': 'A', 'Query': QUERY, 'ApiVersion': '67.0'}, user_id=world.ada, now=0.0
        )
    assert refused.value.code == 'JSON_PARSER_ERROR'
    assert len(world.query('SELECT Id FROM PushTopic')) == 1  # of the seed


def test_a_second_topic_of_a_name_is_a_duplicate(world):
    first = world.topic(QUERY)
    with pytest.raises(OrgError) as refused:
        world.topic(QUERY)
    assert (refused.value.code, refused.value.fields) == ('DUPLICATE_VALUE', ('Name',))
    world.delete('PushTopic', first)
    world.topic(QUERY)


def test_the_operations_follow_from_the_flags(world):
    topic = world.topic(QUERY, NotifyForOperationUpdate=False)
    assert world.org.read('PushTopic', topic)['NotifyForOperations'] == 'Create'
    world.update('PushTopic', topic, NotifyForOperationUpdate=True)
    assert world.org.read('PushTopic', topic)['NotifyForOperations'] == 'All'


def test_a_refused_update_leaves_the_topic_as_it_was(world):
    topic = world.topic(QUERY)
    with pytest.raises(OrgError):
        world.update('PushTopic', topic, Query='SELECT Name FROM Contact')
    assert world.org.read('PushTopic', topic)['Query'] == QUERY
    world.create('Contact', LastName='L')
    assert len(world.take('/topic/Watch')) == 1


def test_only_so_many_topics_are_active(make_world):
    world = make_world(organization={'max_push_topics': 2})  # one is of the seed
    first = world.topic(QUERY, name='First')
    second = world.topic(QUERY, name='Second', IsActive=False)
    for attempt in (
        lambda: world.topic(QUERY, name='Third'),
        lambda: world.update('PushTopic', second, IsActive=True),
    ):
        with pytest.raises(OrgError) as refused:
            attempt()
        assert refused.value.code == 'LIMIT_EXCEEDED'
    world.update('PushTopic', first, Description='is active already')
    world.update('PushTopic', first, IsActive=False)
    world.update('PushTopic', second, IsActive=True)
    world.delete('PushTopic', second)
    world.topic(QUERY, name='Third')
    with pytest.raises(OrgError):
        world.undelete('PushTopic', second)


@pytest.mark.parametrize('name', ['/x/other', 'u/other', '/u/', '/u/other/', '/u/with blank', '/u'])
def test_a_generic_channel_is_called_like_a_channel(world, name):
    with pytest.raises(OrgError) as refused:
        world.create('StreamingChannel', Name=name)
    assert (refused.value.code, refused.value.fields) == ('INVALID_FIELD', ('Name',))
    world.create('StreamingChannel', Name='/u/other/Channel_1')
