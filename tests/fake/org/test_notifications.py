"""Notifications as a subscriber sees them; `world` writes and the org decides."""

import pytest

SAMPLE = '/topic/Watch'


def updates(world, query, changes, **topic):
    """What a change of a contact raises on a topic with this query."""
    record_id = world.create('Contact', LastName='Lovelace', FirstName='Ada', Email='a@b.c', Phone='1')
    world.topic(query, **topic)
    world.now += 1
    world.update('Contact', record_id, **changes)
    return world.take(SAMPLE)


def test_a_new_record_is_told_with_the_selected_fields(world):
    world.topic('SELECT Id, Name, Email, Birthdate, CreatedDate FROM Contact')
    world.now = 8.208
    record_id = world.create('Contact', LastName='Lovelace', FirstName='Ada', Birthdate='1815-12-10')
    (data,) = world.take(SAMPLE)
    assert data == {
        'event': {'createdDate': '2026-03-02T12:00:08.208Z', 'type': 'created'},
        'sobject': {
            'Id': record_id,
            'Name': 'Ada Lovelace',
            'Email': None,
            'Birthdate': '1815-12-10',
            'CreatedDate': '2026-03-02T12:00:08.208Z',
        },
    }
    assert list(data['sobject']) == ['Id', 'Name', 'Email', 'Birthdate', 'CreatedDate']


def test_the_documented_example(world):
    record_id = world.create('Invoice_Statement__c', Name='INV-0001', Status__c='Open')
    (data,) = world.take('/topic/InvoiceStatementUpdates')
    assert data['sobject'] == {'Name': 'INV-0001', 'Id': record_id, 'Status__c': 'Open'}
    assert data['event']['type'] == 'created'


def test_every_operation_has_its_type(world):
    world.topic('SELECT Id, Name FROM Contact')
    record_id = world.create('Contact', LastName='Lovelace')
    world.update('Contact', record_id, LastName='Byron')
    world.delete('Contact', record_id)
    world.undelete('Contact', record_id)
    events = world.take(SAMPLE)
    assert [each['event']['type'] for each in events] == ['created', 'updated', 'deleted', 'undeleted']
    assert [each['sobject'] for each in events] == [
        {'Id': record_id, 'Name': 'Lovelace'},
        {'Id': record_id, 'Name': 'Byron'},
        {'Id': record_id},
        {'Id': record_id, 'Name': 'Byron'},
    ]


@pytest.mark.parametrize(
    ('operation', 'types'),
    [
        ('Create', ['updated', 'deleted', 'undeleted']),
        ('Update', ['created', 'deleted', 'undeleted']),
        ('Delete', ['created', 'updated', 'undeleted']),
        ('Undelete', ['created', 'updated', 'deleted']),
    ],
)
def test_operations_can_be_switched_off(world, operation, types):
    world.topic('SELECT Id, Name FROM Contact', **{f'NotifyForOperation{operation}': False})
    record_id = world.create('Contact', LastName='Lovelace')
    world.update('Contact', record_id, LastName='Byron')
    world.delete('Contact', record_id)
    world.undelete('Contact', record_id)
    assert [each['event']['type'] for each in world.take(SAMPLE)] == types


def test_records_that_do_not_match_are_not_told(world):
    world.topic("SELECT Id, Name FROM Contact WHERE Email LIKE '%@example.com'")
    inside = world.create('Contact', LastName='In', Email='a@EXAMPLE.com')
    outside = world.create('Contact', LastName='Out', Email='a@b.c')
    for record_id in (inside, outside):
        world.update('Contact', record_id, LastName='New')
        world.delete('Contact', record_id)
    assert [each['sobject']['Id'] for each in world.take(SAMPLE)] == [inside] * 3


def test_a_record_is_told_when_it_comes_to_match_and_not_when_it_ceases_to(world):
    world.topic("SELECT Id, Name FROM Contact WHERE Email = 'a@b.c'")
    record_id = world.create('Contact', LastName='Lovelace')
    assert world.take(SAMPLE) == []
    world.update('Contact', record_id, Email='a@b.c')
    assert len(world.take(SAMPLE)) == 1
    world.update('Contact', record_id, Email='x@b.c')
    assert world.take(SAMPLE) == []


WHERE_PHONE = "SELECT Id, Email FROM Contact WHERE Phone = '1' OR Phone = '2'"


@pytest.mark.parametrize(
    ('notify', 'changes', 'told'),
    [
        ('All', {'Email': 'x@b.c'}, True),
        ('All', {'Phone': '2'}, True),
        ('All', {'Title': 'x'}, True),
        ('All', {'Phone': '3'}, False),
        ('Referenced', {'Email': 'x@b.c'}, True),
        ('Referenced', {'Phone': '2'}, True),
        ('Referenced', {'Title': 'x'}, False),
        ('Select', {'Email': 'x@b.c'}, True),
        ('Select', {'Phone': '2'}, False),
        ('Select', {'Title': 'x'}, False),
        ('Where', {'Email': 'x@b.c'}, False),
        ('Where', {'Phone': '2'}, True),
        ('Where', {'Title': 'x'}, False),
    ],
)
def test_an_update_is_told_if_a_field_changed_that_counts(world, notify, changes, told):
    assert bool(updates(world, WHERE_PHONE, changes, NotifyForFields=notify)) is told


def test_a_field_that_is_written_without_a_change_did_not_change(world):
    assert updates(world, 'SELECT Id, Email FROM Contact', {'Email': 'a@b.c'}) == []


def test_a_selected_modification_date_changes_with_every_save(world):
    assert updates(
        world, 'SELECT Id, LastModifiedDate FROM Contact', {'Title': 'x'}, NotifyForFields='Select'
    )


@pytest.mark.parametrize('notify', ['Select', 'Referenced'])
def test_parts_of_a_name_change_the_name_and_not_themselves(world, notify):
    """Streaming API guide, "Compound Fields in PushTopic Queries"."""
    parts = 'SELECT Id, FirstName, LastName FROM Contact'
    assert updates(world, parts, {'FirstName': 'Augusta'}, NotifyForFields=notify) == []
    world.topic('SELECT Id, Name, FirstName FROM Contact', name='WithName', NotifyForFields=notify)
    world.update('Contact', world.values('SELECT Id FROM Contact')[0], FirstName='Ada')
    assert [each['sobject']['Name'] for each in world.take('/topic/WithName')] == ['Ada Lovelace']
    assert world.take(SAMPLE) == []


def test_the_current_user_can_be_excluded(world):
    world.topic(f"SELECT Id, Name FROM Contact WHERE LastModifiedById != '{world.integration}'")
    world.create('Contact', LastName='Own', by=world.integration)
    world.create('Contact', LastName='Other', by=world.ada)
    assert [each['sobject']['Name'] for each in world.take(SAMPLE)] == ['Other']


def test_a_record_type_can_be_asked_for(world):
    (record_type,) = world.values(
        "SELECT Id FROM RecordType WHERE DeveloperName = 'Student' AND SobjectType = 'Contact'"
    )
    world.topic(f"SELECT Id, Name FROM Contact WHERE RecordTypeId = '{record_type}'")
    world.create('Contact', LastName='Any')
    world.create('Contact', LastName='Pupil', RecordTypeId=record_type)
    assert [each['sobject']['Name'] for each in world.take(SAMPLE)] == ['Pupil']


def test_dates_in_the_query_count_from_the_day_of_the_write(world):
    world.topic('SELECT Id, CreatedDate FROM Contact WHERE CreatedDate = TODAY')
    world.now += 5 * 86_400
    world.create('Contact', LastName='Lovelace')
    assert len(world.take(SAMPLE)) == 1


def test_an_inactive_topic_is_silent_and_a_new_query_counts_at_once(world):
    topic = world.topic('SELECT Id, Name FROM Contact', IsActive=False)
    world.create('Contact', LastName='A')
    world.update('PushTopic', topic, IsActive=True, Query='SELECT Id, LastName FROM Contact')
    world.create('Contact', LastName='B')
    assert [list(each['sobject']) for each in world.take(SAMPLE)] == [['Id', 'LastName']]
    world.delete('PushTopic', topic)
    world.create('Contact', LastName='C')
    assert world.take(SAMPLE) == []
