"""People who work in the fake org."""

import pytest
from fake_salesforce.people import RestRefused


def test_a_person_writes_reads_and_raises_events_under_their_own_name(fake_salesforce):
    ada = fake_salesforce.person()
    fake_salesforce.seed({'push_topics': [{'Name': 'Contacts', 'Query': 'SELECT Id, Name FROM Contact'}]})
    contact = ada.create('Contact', FirstName='Grace', LastName='Hopper')
    ada.update('Contact', contact, LastName='Murray')
    record = ada.read('Contact', contact)
    assert (record['LastName'], record['CreatedById']) == ('Murray', ada.id)
    ada.delete('Contact', contact)
    assert ada.query('SELECT Id FROM Contact') == []
    kinds = [data['event']['type'] for data in fake_salesforce.retained('/topic/Contacts')]
    assert kinds == ['created', 'updated', 'deleted']


def test_two_people_are_two_users(fake_salesforce):
    assert fake_salesforce.person().id != fake_salesforce.person('integration@example.com').id
    with pytest.raises(ValueError, match='nobody'):
        fake_salesforce.person('nobody@example.com')


def test_a_person_goes_on_after_their_token_has_ended(fake_salesforce):
    ada = fake_salesforce.person()
    assert fake_salesforce.revoke_tokens() == 1
    assert ada.create('Contact', LastName='Hopper')


def test_a_refusal_has_its_status_and_words(fake_salesforce):
    with pytest.raises(RestRefused) as caught:
        fake_salesforce.person().create('Contact', FirstName='Grace')
    assert caught.value.status == 400
    assert caught.value.problems[0]['errorCode'] == 'REQUIRED_FIELD_MISSING'


def test_generic_events_are_pushed_by_the_name_of_their_channel(fake_salesforce):
    ada = fake_salesforce.person()
    ada.push('/u/notifications/ExampleUserChannel', 'One', 'Two')
    events = fake_salesforce.retained('/u/notifications/ExampleUserChannel')
    assert [each['payload'] for each in events] == ['One', 'Two']
    with pytest.raises(LookupError, match='/u/nothing'):
        ada.push('/u/nothing', 'One')


def test_an_answer_that_is_no_json_is_given_as_text(fake_salesforce):
    ada = fake_salesforce.person()
    fake_salesforce.faults.add('status', channel='rest', status=502)
    with pytest.raises(RestRefused) as caught:
        ada.read('Contact', '003000000000000AAA')
    assert caught.value.status == 502
