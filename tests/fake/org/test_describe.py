import json

import pytest
from fake_salesforce.org import OrgError


def fields(world, sobject):
    return {each['name']: each for each in world.org.describe(sobject)['fields']}


def test_all_objects_are_listed_with_their_addresses(world):
    listed = world.org.describe_global(api_version='66.0')
    assert (listed['encoding'], listed['maxBatchSize']) == ('UTF-8', 200)
    found = {each['name']: each for each in listed['sobjects']}
    assert found['Contact']['keyPrefix'] == '003'
    assert found['Contact']['urls']['sobject'] == '/services/data/v66.0/sobjects/Contact'
    assert (found['Invoice_Statement__c']['custom'], found['Contact']['custom']) == (True, False)
    assert (found['Low_Ink__e']['createable'], found['Low_Ink__e']['queryable']) == (True, False)
    assert (found['User']['createable'], found['User']['queryable']) == (False, True)


def test_an_object_is_described_with_its_fields(world):
    found = fields(world, 'contact')
    name = found['LastName']
    assert (name['label'], name['type'], name['soapType'], name['length']) == (
        'Last Name',
        'string',
        'xsd:string',
        80,
    )
    assert (name['nillable'], name['createable'], name['updateable'], name['nameField']) == (
        False,
        True,
        True,
        False,
    )
    assert found['Name']['nameField']
    assert not found['Name']['createable']
    assert found['AccountId']['referenceTo'] == ['Account']
    assert found['AccountId']['relationshipName'] == 'Account'
    assert not found['Description']['filterable']
    assert found['Id']['idLookup']
    assert not found['Id']['nillable']
    choices = fields(world, 'PushTopic')['NotifyForFields']['picklistValues']
    assert [each['value'] for each in choices] == ['All', 'Referenced', 'Select', 'Where']


def test_objects_without_a_name_have_none(world):
    assert 'Name' not in fields(world, 'Task')
    assert [name for name, each in fields(world, 'Case').items() if each['nameField']] == ['CaseNumber']


def test_record_types_are_those_of_the_object(world):
    (info,) = world.org.describe('Contact')['recordTypeInfos']
    (record_type,) = world.values("SELECT Id FROM RecordType WHERE DeveloperName = 'Student'")
    assert (info['recordTypeId'], info['developerName'], info['active']) == (record_type, 'Student', True)
    assert world.org.describe('Account')['recordTypeInfos'] == []


def test_a_description_is_json(world):
    json.dumps(
        [world.org.describe_global(), *(world.org.describe(each) for each in ('Contact', 'Low_Ink__e'))]
    )


def test_an_unknown_object_is_not_found(world):
    with pytest.raises(OrgError) as refused:
        world.org.describe('Nope')
    assert refused.value.status == 404
