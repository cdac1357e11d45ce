import pytest
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.schema import Kind, Schema, SObject, label_of, plural_of


def sobject(name, prefix='a00', kind=Kind.CUSTOM, **fields):
    made = [read_field(each, notation) for each, notation in fields.items()]
    return SObject(name, label_of(name), prefix, kind, {each.name.lower(): each for each in made})


CONTACT = sobject(
    'Contact',
    '003',
    Kind.STANDARD,
    AccountId={'reference': 'Account'},
    Team__c={'reference': 'Team__c'},
    Name='text',
)


def test_objects_and_fields_are_found_in_any_case():
    schema = Schema([CONTACT])
    assert schema.find('CONTACT') is schema.find('contact') is CONTACT
    assert CONTACT.field('NAME').name == 'Name'
    assert schema.find('Nothing') is None
    assert CONTACT.field('Nothing') is None


def test_an_id_tells_its_object():
    schema = Schema([CONTACT])
    assert schema.of_id('003000000000000AAA') is CONTACT
    assert schema.of_id('004000000000000AAA') is None


def test_relationships_have_the_name_of_their_field_without_its_end():
    assert CONTACT.field('AccountId').relationship == 'Account'
    assert CONTACT.field('Team__c').relationship == 'Team__r'
    assert CONTACT.field('Name').relationship is None
    assert CONTACT.related('ACCOUNT').name == 'AccountId'
    assert CONTACT.related('team__R').name == 'Team__c'
    assert CONTACT.related('Nothing') is None


def test_an_extended_object_has_both_and_the_old_one_stays():
    more = CONTACT.extended([read_field('Level__c', 'int'), read_field('Name', 'email')])
    assert [each.name for each in more.fields.values()] == ['AccountId', 'Team__c', 'Name', 'Level__c']
    assert more.field('Name').type.value == 'email'
    assert CONTACT.field('Level__c') is None


def test_change_events_are_named_after_their_object():
    assert CONTACT.change_event == 'ContactChangeEvent'
    assert sobject('Invoice__c').change_event == 'Invoice__ChangeEvent'


def test_prefixes_count_up_for_each_kind():
    schema = Schema([CONTACT])
    made = []
    for number in range(12):
        prefix = schema.next_prefix(Kind.CUSTOM)
        made.append(prefix)
        schema.put(sobject(f'Thing{number}__c', prefix))
    assert (made[0], made[9], made[11]) == ('a00', 'a09', 'a0B')
    assert schema.next_prefix(Kind.EVENT) == 'e00'
    assert len(list(schema)) == 13


@pytest.mark.parametrize(
    ('name', 'label'),
    [
        ('LastName', 'Last Name'),
        ('AccountId', 'Account ID'),
        ('Due_Date__c', 'Due Date'),
        ('Low_Ink__e', 'Low Ink'),
        ('Email', 'Email'),
    ],
)
def test_labels_are_made_from_names(name, label):
    assert label_of(name) == label


def test_plurals_are_english():
    assert [plural_of(each) for each in ('Contact', 'Opportunity', 'Key', 'Status')] == [
        'Contacts',
        'Opportunities',
        'Keys',
        'Statuses',
    ]


def test_the_name_field_is_the_name_or_what_stands_in_for_it():
    assert CONTACT.name_field == 'Name'
    assert sobject('Case', Subject='text', CaseNumber='text').name_field == 'CaseNumber'
    assert sobject('Task', Subject='text').name_field == 'Subject'
    assert sobject('Plain__c').name_field is None
