import pytest
from fake_salesforce.org import OrgError

BOX = {
    'Box__c': {
        'fields': {
            'Key__c': {'type': 'text', 'external_id': True},
            'Number__c': {'type': 'number', 'external_id': True},
            'Count__c': {'type': 'int', 'external_id': True},
        }
    }
}


def refusal(call, *arguments):
    with pytest.raises(OrgError) as refused:
        call(*arguments)
    return refused.value


def test_a_record_is_shown_with_all_its_fields_or_some(world):
    record_id = world.create('Contact', LastName='Lovelace', FirstName='Ada')
    shown = world.org.read('contact', record_id[:15], ['NAME', 'Id'], api_version='66.0')
    assert shown == {
        'attributes': {'type': 'Contact', 'url': f'/services/data/v66.0/sobjects/Contact/{record_id}'},
        'Name': 'Ada Lovelace',
        'Id': record_id,
    }
    whole = world.org.read('Contact', record_id)
    assert whole['CreatedDate'] == '2026-03-02T12:00:00.000+0000'
    assert list(whole)[:2] == ['attributes', 'Id']


def test_what_is_not_there_is_not_found(world):
    record_id = world.create('Contact', LastName='Lovelace')
    assert refusal(world.org.read, 'Nope', record_id).code == 'NOT_FOUND'
    assert refusal(world.org.read, 'Account', record_id).code == 'NOT_FOUND'
    assert refusal(world.org.read, 'Contact', record_id, ['Nope']).code == 'INVALID_FIELD'
    assert refusal(world.org.read, 'Contact', 'nobody').message == (
        'Provided external ID field does not exist or is not accessible: nobody'
    )
    world.delete('Contact', record_id)
    assert refusal(world.org.read, 'Contact', record_id).code == 'ENTITY_IS_DELETED'


def test_records_are_found_by_external_ids(make_world):
    world = make_world(objects=BOX, push_topics=[])
    world.create('Box__c')  # without a key, and so without an address
    record_id = world.create('Box__c', Key__c='A-1', Number__c=5)
    assert world.org.find('box__c', 'key__c', 'a-1') == record_id
    assert world.org.find('Box__c', 'Number__c', 5) == record_id
    for field, value in (
        ('Key__c', 'A-2'),
        ('Key__c', ''),
        ('Key__c', ['A-1']),
        ('Number__c', 'x'),
        ('Number__c', '5'),
        ('Number__c', 6),
    ):
        assert world.org.find('Box__c', field, value) is None
    for field in ('Name', 'Nope__c'):
        for call in (world.org.find, world.org.external_id):
            assert refusal(call, 'Box__c', field, 'x').message.endswith(f'not accessible: {field}')
    world.delete('Box__c', record_id)
    assert world.org.find('Box__c', 'Key__c', 'A-1') is None


@pytest.mark.parametrize(
    ('field', 'text', 'value'),
    [
        ('Key__c', '5', '5'),
        ('Number__c', '5', 5.0),
        ('Number__c', '5.5', 5.5),
        ('Number__c', 'x', 'x'),
        ('Count__c', '5', 5),
        ('Count__c', '5.5', 5.5),
        ('Count__c', 'inf', float('inf')),
    ],
)
def test_an_external_id_of_an_address_is_of_the_type_of_its_field(make_world, field, text, value):
    world = make_world(objects=BOX, push_topics=[])
    found = world.org.external_id('box__c', field.lower(), text)
    assert (found, type(found)) == (value, type(value))
