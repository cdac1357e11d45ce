import copy

import pytest
from fake_salesforce.org import OrgError


def refusal(call, *arguments, **options):
    with pytest.raises(OrgError) as refused:
        call(*arguments, **options)
    return refused.value


def test_records_are_written_and_read(world):
    record_id = world.create('contact', lastname='Byron', FIRSTNAME='Ada')
    world.now += 1
    world.update('CONTACT', record_id[:15], LastName='Lovelace', by=world.integration)
    record = world.org.read('Contact', record_id)
    assert (record['Name'], record['CreatedById'], record['LastModifiedById']) == (
        'Ada Lovelace',
        world.ada,
        world.integration,
    )
    assert (record['CreatedDate'], record['LastModifiedDate']) == (
        '2026-03-02T12:00:00.000+0000',
        '2026-03-02T12:00:01.000+0000',
    )


def test_records_go_to_the_bin_and_back(world):
    record_id = world.create('Contact', LastName='L')
    assert refusal(world.undelete, 'Contact', record_id).code == 'NOT_FOUND'
    world.now += 1
    world.delete('Contact', record_id)
    assert refusal(world.delete, 'Contact', record_id).code == 'ENTITY_IS_DELETED'
    assert refusal(world.update, 'Contact', record_id, LastName='M').code == 'ENTITY_IS_DELETED'
    world.undelete('Contact', record_id)
    assert world.org.read('Contact', record_id)['LastModifiedDate'] == '2026-03-02T12:00:01.000+0000'


def test_what_is_unknown_is_not_found(world):
    assert refusal(world.create, 'Nope').status == 404
    assert refusal(world.update, 'Contact', '003000000000000AAA', LastName='x').status == 404
    assert refusal(world.delete, 'Contact', 'x').status == 404


@pytest.mark.parametrize('sobject', ['User', 'Organization', 'RecordType'])
def test_some_objects_are_the_seed_s_alone(world, sobject):
    assert refusal(world.create, sobject).code == 'INSUFFICIENT_ACCESS_OR_READONLY'


def test_events_are_raised_before_the_write_returns_and_with_its_time(world):
    seen = []
    world.org._emit = lambda channel, data, now: seen.append((channel, now))
    world.now = 5.0
    world.create('Account', Name='Acme')
    assert seen == [('/data/ChangeEvents', 5.0), ('/data/AccountChangeEvent', 5.0)]


def test_platform_events_are_published_and_stored_nowhere(world):
    record_id = world.create('low_ink__e', printer_model__c='XZO-5', Ink_Percentage__c=0.2)
    assert record_id.startswith('e00')
    (data,) = world.take('/event/Low_Ink__e')
    assert data['payload'] == {
        'CreatedDate': '2026-03-02T12:00:00.000Z',
        'CreatedById': world.ada,
        'Printer_Model__c': 'XZO-5',
        'Serial_Number__c': None,
        'Ink_Percentage__c': 0.2,
    }
    assert len(data['event']['EventUuid']) == 36
    assert refusal(world.org.read, 'Low_Ink__e', record_id).code == 'NOT_FOUND'
    assert refusal(world.update, 'Low_Ink__e', record_id).code == 'NOT_FOUND'


def test_a_platform_event_with_a_wrong_field_is_refused(world):
    assert refusal(world.create, 'Low_Ink__e', Nope__c=1).code == 'INVALID_FIELD'
    assert refusal(world.create, 'Low_Ink__e', EventUuid='x').code == 'INVALID_FIELD_FOR_INSERT_UPDATE'
    assert world.events == []


def test_generic_events_are_pushed_all_or_none(world):
    (channel,) = world.values('SELECT Id FROM StreamingChannel')
    name = '/u/notifications/ExampleUserChannel'
    assert channel.startswith('0M6')
    answers = world.org.push(channel, [{'payload': 'a'}, {'payload': 'b', 'userIds': []}], now=1.0)
    assert answers == [{'fanoutCount': -1, 'userOnlineStatus': {}}] * 2
    assert world.take(name) == [
        {'event': {'createdDate': '2026-03-02T12:00:01.000Z'}, 'payload': each} for each in 'ab'
    ]
    refusal(world.org.push, channel, [{'payload': 'a'}, {'payload': 5}], now=1.0)
    assert world.events == []
    assert refusal(world.org.push, '0M6000000000000AAA', [{'payload': 'a'}], now=1.0).code == 'NOT_FOUND'


def test_a_test_can_make_gaps_and_overflows_happen(world):
    record_ids = [world.create('Account', Name=each) for each in 'ab']
    world.events.clear()
    world.org.raise_gap('account', [each[:15] for each in record_ids], user_id=world.ada, now=1.0)
    world.org.raise_overflow('Account', user_id=world.ada, now=2.0)
    first, second = (each['payload']['ChangeEventHeader'] for each in world.take('/data/ChangeEvents'))
    assert (first['changeType'], first['recordIds'], first['changeOrigin']) == ('GAP_UPDATE', record_ids, '')
    assert (second['changeType'], second['recordIds']) == ('GAP_OVERFLOW', ['000000000000000AAA'])
    assert len(world.take('/data/AccountChangeEvent')) == 2


def test_a_gap_can_be_in_a_deleted_record(world):
    account = world.create('Account', Name='a')
    world.delete('Account', account)
    world.org.raise_gap('Account', [account], change_type='GAP_DELETE', user_id=world.ada, now=1.0)
    last = world.take('/data/ChangeEvents')[-1]
    assert last['payload']['ChangeEventHeader']['changeType'] == 'GAP_DELETE'


@pytest.mark.parametrize(
    ('sobject', 'of', 'problem'),
    [
        ('Lead', 'Lead', 'Lead is not selected for Change Data Capture'),
        ('Account', 'Contact', 'there is no record .* of Account'),
        ('Account', None, 'there is no record 001000000000001AAA of Account'),
        ('Low_Ink__e', None, 'Low_Ink__e'),
    ],
)
def test_a_gap_is_in_a_record_that_is_there_and_captured(make_world, sobject, of, problem):
    world = make_world(channels={'/event/Ink__chn': ['Low_Ink__e']})
    values = {'Lead': {'LastName': 'a', 'Company': 'b'}, 'Contact': {'LastName': 'a'}}
    record_id = world.create(of, **values[of]) if of else '001000000000001AAA'
    world.events.clear()
    with pytest.raises(ValueError, match=problem):
        world.org.raise_gap(sobject, [record_id], user_id=world.ada, now=1.0)
    assert world.events == []


@pytest.mark.parametrize('sobject', ['Lead', 'Low_Ink__e'])
def test_an_overflow_is_of_an_object_that_is_captured(make_world, sobject):
    world = make_world(channels={'/event/Ink__chn': ['Low_Ink__e']})
    with pytest.raises(ValueError, match=f'{sobject} is not selected for Change Data Capture'):
        world.org.raise_overflow(sobject, user_id=world.ada, now=1.0)
    assert world.events == []


def test_the_origin_of_a_change_names_the_api_version(world):
    world.org.create('Account', {'Name': 'A'}, user_id=world.ada, now=0.0, api_version='55.0')
    (data,) = world.take('/data/ChangeEvents')
    assert data['payload']['ChangeEventHeader']['changeOrigin'] == 'com/salesforce/api/rest/55.0'


def test_the_same_chance_makes_the_same_org(make_world):
    worlds = [make_world(), make_world()]
    for world in worlds:
        world.create('Contact', LastName='L')
        world.create('Low_Ink__e')
    assert worlds[0].events == worlds[1].events


def test_what_was_emitted_is_nobody_else_s(world):
    world.create('Contact', LastName='L')
    before = copy.deepcopy(world.events)
    world.update('Contact', world.values('SELECT Id FROM Contact')[0], LastName='M')
    assert world.events[: len(before)] == before
