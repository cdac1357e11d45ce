import pytest
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.schema import Kind
from fake_salesforce.org.standard import custom_object, platform_event, standard_schema
from fake_salesforce.org.values import FieldType

SCHEMA = standard_schema()
NAMES = [
    'Account', 'Contact', 'Lead', 'Opportunity', 'Case', 'Task', 'Campaign', 'User', 'Organization',
    'RecordType', 'PushTopic', 'StreamingChannel',
]  # fmt: skip


def test_these_objects_are_in_every_org():
    assert [each.name for each in SCHEMA] == NAMES
    assert {each.kind for each in SCHEMA} == {Kind.STANDARD}


def test_key_prefixes_are_those_of_salesforce():
    assert {each.name: each.prefix for each in SCHEMA} == {
        'Account': '001', 'Contact': '003', 'Lead': '00Q', 'Opportunity': '006', 'Case': '500', 'Task': '00T',
        'Campaign': '701', 'User': '005', 'Organization': '00D', 'RecordType': '012', 'PushTopic': '0IF',
        'StreamingChannel': '0M6',
    }  # fmt: skip


@pytest.mark.parametrize('sobject', list(SCHEMA), ids=NAMES)
def test_every_object_has_the_fields_of_all_and_they_are_read_only(sobject):
    names = [
        'Id',
        'IsDeleted',
        'CreatedDate',
        'CreatedById',
        'LastModifiedDate',
        'LastModifiedById',
        'SystemModstamp',
    ]
    fields = [sobject.field(each) for each in names]
    assert [each.name for each in fields] == names
    assert not any(each.writable for each in fields)


@pytest.mark.parametrize('sobject', list(SCHEMA), ids=NAMES)
def test_references_lead_to_objects_that_are_there(sobject):
    for field in sobject.fields.values():
        assert (field.type is FieldType.REFERENCE) == bool(field.references)
        assert [each for each in field.references if SCHEMA.find(each).name != each] == []


def test_case_and_task_have_no_name():
    assert [each.name for each in SCHEMA if each.field('Name') is None] == ['Case', 'Task']


def test_names_of_people_are_put_together():
    people = [each for each in SCHEMA if each.name_parts]
    assert [each.name for each in people] == ['Contact', 'Lead', 'User']
    assert not any(each.field('Name').writable for each in people)
    assert all(each.field('LastName').required for each in people)


def test_push_topics_have_their_documented_fields():
    sobject = SCHEMA.find('PushTopic')
    name, query = sobject.field('Name'), sobject.field('Query')
    assert (name.length, name.required, name.unique) == (25, True, True)
    assert (query.length, query.required) == (1300, True)
    assert sobject.field('ApiVersion').type is FieldType.DOUBLE
    assert sobject.field('Description').length == 400
    assert sobject.field('IsActive').default is True
    assert sobject.field('NotifyForFields').default == 'Referenced'
    assert sobject.field('NotifyForFields').choices == ('All', 'Referenced', 'Select', 'Where')
    assert not sobject.field('NotifyForOperations').writable
    assert sobject.field('NotifyForOperationDelete').since == 29.0
    assert sobject.field('NotifyForFields').since == 0


def test_some_objects_cannot_be_written_and_some_not_be_watched():
    assert [each.name for each in SCHEMA if not each.writable] == ['User', 'Organization', 'RecordType']
    assert [each.name for each in SCHEMA if each.topics] == NAMES[:7]


def test_a_custom_object_has_a_name_unless_it_is_said_otherwise():
    fields = [read_field('Status__c', 'text')]
    named = custom_object('A__c', 'A', 'a00', fields, with_name=True)
    assert [each.name for each in named.fields.values()][:5] == [
        'Id',
        'Name',
        'OwnerId',
        'RecordTypeId',
        'Status__c',
    ]
    assert custom_object('A__c', 'A', 'a00', fields, with_name=False).field('Name') is None
    assert named.topics


def test_a_platform_event_has_its_own_fields_and_those_of_the_bus():
    event = platform_event('A__e', 'A', 'e00', [read_field('Status__c', 'text')])
    assert [each.name for each in event.fields.values()] == [
        'CreatedDate',
        'CreatedById',
        'EventUuid',
        'Status__c',
    ]
    assert not event.topics
