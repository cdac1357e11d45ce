import pytest
from fake_salesforce.org import OrgError


def test_notifications_come_before_changes(world):
    world.topic('SELECT Id, Name FROM Contact')
    world.create('Contact', LastName='L')
    assert [channel for channel, _ in world.events] == [
        '/topic/Watch',
        '/data/ChangeEvents',
        '/data/ContactChangeEvent',
    ]


def test_a_write_tells_topics_of_its_own_object_only(world):
    world.topic('SELECT Id, Name FROM Contact')
    world.create('Account', Name='Acme')
    assert world.take('/topic/Watch') == []


def test_changes_are_told_of_the_selected_objects(world):
    world.create('Lead', LastName='L', Company='Acme')
    assert world.events == []
    world.create('Account', Name='Acme')
    assert [channel for channel, _ in world.events] == ['/data/ChangeEvents', '/data/AccountChangeEvent']


def test_each_channel_has_a_message_of_its_own(world):
    world.create('Account', Name='Acme')
    (_, first), (_, second) = world.events
    assert first == second
    first['event']['replayId'] = 1
    assert 'replayId' not in second['event']


def test_every_operation_has_its_change_type(world):
    record_id = world.create('Account', Name='Acme')
    world.update('Account', record_id, Name='Apex')
    world.delete('Account', record_id)
    world.undelete('Account', record_id)
    headers = [each['payload']['ChangeEventHeader'] for each in world.take('/data/AccountChangeEvent')]
    assert [each['changeType'] for each in headers] == ['CREATE', 'UPDATE', 'DELETE', 'UNDELETE']
    assert {tuple(each['recordIds']) for each in headers} == {(record_id,)}
    assert len({each['transactionKey'] for each in headers}) == 4
    numbers = [each['commitNumber'] for each in headers]
    assert numbers == sorted(set(numbers))


def test_a_save_without_a_change_is_no_change(world):
    record_id = world.create('Account', Name='Acme')
    world.events.clear()
    world.now += 1
    world.update('Account', record_id, Name='Acme', by=world.integration)
    assert world.events == []


def test_custom_objects_have_change_events(make_world):
    world = make_world(change_data_capture=['Invoice_Statement__c'])
    world.create('Invoice_Statement__c', Name='INV-0001')
    assert len(world.take('/data/Invoice_Statement__ChangeEvent')) == 1


def test_custom_channels_have_what_is_on_them(make_world):
    world = make_world(
        change_data_capture=['Account'],
        channels={'/data/Sales__chn': ['Account', 'Lead'], '/event/Ink__chn': ['Low_Ink__e']},
    )
    world.create('Account', Name='Acme')
    world.create('Lead', LastName='L', Company='Acme')
    world.create('Contact', LastName='L')
    names = [each['payload']['ChangeEventHeader']['entityName'] for each in world.take('/data/Sales__chn')]
    assert names == ['Account', 'Lead']
    assert len(world.take('/data/ChangeEvents')) == 1
    world.create('Low_Ink__e', Printer_Model__c='XZO-5')
    assert world.take('/event/Ink__chn') == world.take('/event/Low_Ink__e')


def test_a_refused_write_raises_nothing(world):
    with pytest.raises(OrgError):
        world.create('Account')
    assert world.events == []
