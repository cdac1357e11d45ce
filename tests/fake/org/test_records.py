from datetime import UTC, datetime
from random import Random

import pytest
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.ids import IdMaker, is_id
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.records import Author, Records, changed_fields, comparable
from fake_salesforce.org.standard import custom_object, standard_schema
from fake_salesforce.org.values import FieldType

ADA = '005tp00000JXAFkAAP'
MOMENT = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 13, tzinfo=UTC)


class Tables:
    """Records with what they need."""

    def __init__(self):
        self.schema = standard_schema()
        self.schema.put(custom_object('Box__c', 'Box', 'a00', [], with_name=True))
        self.records = Records(self.schema, IdMaker(Random(1)))

    def write(self, sobject, values, *, old=None, version='67.0', moment=MOMENT):
        found = self.schema.find(sobject)
        row = self.records.checked(found, values, Author(ADA, moment, version), old=old)
        self.records.put(found, row)
        return row

    def refused(self, sobject, values, **options):
        with pytest.raises(OrgError) as refused:
            self.write(sobject, values, **options)
        return refused.value


@pytest.fixture
def tables():
    return Tables()


def test_a_new_record_has_an_id_stamps_defaults_and_an_owner(tables):
    row = tables.write('Contact', {'LastName': 'Lovelace'})
    assert is_id(row['Id'])
    assert row['Id'].startswith('003')
    assert row['CreatedDate'] == row['LastModifiedDate'] == row['SystemModstamp'] == MOMENT
    assert row['CreatedById'] == row['LastModifiedById'] == row['OwnerId'] == ADA
    assert row['IsDeleted'] is False
    assert row['HasOptedOutOfEmail'] is False
    assert row['Email'] is None


def test_an_update_keeps_what_it_does_not_name(tables):
    old = tables.write('Contact', {'LastName': 'Byron', 'FirstName': 'Ada'})
    new = tables.write('Contact', {'lastname': 'Lovelace'}, old=old, moment=LATER)
    assert (new['Id'], new['FirstName'], new['LastName'], new['Name']) == (
        old['Id'],
        'Ada',
        'Lovelace',
        'Ada Lovelace',
    )
    assert (new['CreatedDate'], new['LastModifiedDate']) == (MOMENT, LATER)
    assert changed_fields(old, new) == ['LastName', 'Name', 'LastModifiedDate', 'SystemModstamp']
    assert old['LastName'] == 'Byron'


def test_a_record_that_was_only_checked_is_nowhere(tables):
    contact = tables.schema.find('Contact')
    row = tables.records.checked(contact, {'LastName': 'L'}, Author(ADA, MOMENT, '67.0'), old=None)
    assert tables.records.rows(contact) == []
    assert tables.records.at(row['Id']) is None


def test_a_custom_record_without_a_name_is_named_by_its_id(tables):
    row = tables.write('Box__c', {})
    assert row['Name'] == row['Id']
    assert tables.write('Box__c', {'Name': 'Red'})['Name'] == 'Red'


def test_cases_are_numbered(tables):
    assert [tables.write('Case', {})['CaseNumber'] for _ in range(2)] == ['00001000', '00001001']


def test_an_unknown_field_is_refused_before_any_value_is_looked_at(tables):
    error = tables.refused('Contact', {'LastName': 5, 'Nope__c': 1})
    assert (error.code, error.fields) == ('INVALID_FIELD', ('Nope__c',))
    assert error.message == "No such column 'Nope__c' on sobject of type Contact"


def test_fields_that_the_org_writes_are_refused(tables):
    error = tables.refused('Contact', {'LastName': 'L', 'CreatedDate': '2026-01-01T00:00:00Z', 'name': 'X'})
    assert (error.code, error.fields) == ('INVALID_FIELD_FOR_INSERT_UPDATE', ('CreatedDate', 'Name'))
    assert error.message.startswith('Unable to create/update fields: CreatedDate, Name.')


def test_missing_required_fields_are_all_named(tables):
    error = tables.refused('Opportunity', {'Name': '', 'StageName': 'New'})
    assert (error.code, error.fields) == ('REQUIRED_FIELD_MISSING', ('Name', 'CloseDate'))
    assert error.message == 'Required fields are missing: [Name, CloseDate]'


def test_a_required_field_cannot_be_emptied(tables):
    old = tables.write('Contact', {'LastName': 'Lovelace'})
    assert tables.refused('Contact', {'LastName': None}, old=old).code == 'REQUIRED_FIELD_MISSING'


def test_a_text_that_is_too_long_is_refused(tables):
    tables.write('Contact', {'LastName': 'x' * 80})
    error = tables.refused('Contact', {'LastName': 'x' * 81})
    assert (error.code, error.fields) == ('STRING_TOO_LONG', ('LastName',))
    assert error.message == f'Last Name: data value too large: {"x" * 81} (max length=80)'


def test_a_value_of_another_type_is_refused(tables):
    assert tables.refused('Contact', {'LastName': 5}).code == 'JSON_PARSER_ERROR'


def test_a_truth_value_is_never_empty(tables):
    assert (
        tables.write('Contact', {'LastName': 'L', 'HasOptedOutOfEmail': None})['HasOptedOutOfEmail'] is False
    )


def test_a_restricted_picklist_takes_its_own_values_only(tables):
    topic = {'Name': 'A', 'Query': 'SELECT', 'ApiVersion': 67.0}
    error = tables.refused('PushTopic', {**topic, 'NotifyForFields': 'Some'})
    assert (error.code, error.fields) == ('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', ('NotifyForFields',))


def test_unique_values_are_unique_in_any_case_outside_the_recycle_bin(tables):
    topic = {'Query': 'SELECT', 'ApiVersion': 67.0}
    first = tables.write('PushTopic', {'Name': 'Updates', **topic})
    error = tables.refused('PushTopic', {'Name': 'UPDATES', **topic})
    assert (error.code, error.fields) == ('DUPLICATE_VALUE', ('Name',))
    assert error.message == f'duplicate value found: Name duplicates value on record with id: {first["Id"]}'
    tables.write('PushTopic', {'Description': 'same record'}, old=first)
    tables.records.put(tables.schema.find('PushTopic'), {**first, 'IsDeleted': True})
    tables.write('PushTopic', {'Name': 'UPDATES', **topic})


def test_fields_that_are_younger_than_the_api_version_do_not_exist(tables):
    topic = {'Name': 'A', 'Query': 'SELECT', 'ApiVersion': 28.0, 'NotifyForOperationDelete': False}
    assert tables.refused('PushTopic', topic, version='28.0').code == 'INVALID_FIELD'
    tables.write('PushTopic', topic, version='29.0')


def test_references_lead_to_records_of_the_right_object(tables):
    account = tables.write('Account', {'Name': 'Acme'})
    contact = tables.write('Contact', {'LastName': 'L', 'AccountId': account['Id'][:15]})
    assert contact['AccountId'] == account['Id']
    cases = [
        ('acme', 'MALFORMED_ID', 'Account ID: id value of incorrect type: acme'),
        (
            contact['Id'],
            'FIELD_INTEGRITY_EXCEPTION',
            f'Account ID: id value of incorrect type: {contact["Id"]}',
        ),
        (
            'zzz000000000000AAA',
            'FIELD_INTEGRITY_EXCEPTION',
            'Account ID: id value of incorrect type: zzz000000000000AAA',
        ),
        ('001000000000000AAA', 'INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id'),
    ]
    for record_id, code, message in cases:
        error = tables.refused('Contact', {'LastName': 'L', 'AccountId': record_id})
        assert (error.code, error.message, error.fields) == (code, message, ('AccountId',))
    tables.write('Contact', {'AccountId': None}, old=contact)


def test_a_reference_to_a_deleted_record_is_refused(tables):
    account = tables.write('Account', {'Name': 'Acme'})
    tables.records.put(tables.schema.find('Account'), {**account, 'IsDeleted': True})
    error = tables.refused('Contact', {'LastName': 'L', 'AccountId': account['Id']})
    assert error.code == 'INVALID_CROSS_REFERENCE_KEY'


def test_a_record_type_is_one_of_the_object(tables):
    own = tables.write(
        'RecordType', {'Name': 'Student', 'DeveloperName': 'Student', 'SobjectType': 'Contact'}
    )
    foreign = tables.write('RecordType', {'Name': 'Big', 'DeveloperName': 'Big', 'SobjectType': 'Account'})
    tables.write('Contact', {'LastName': 'L', 'RecordTypeId': own['Id']})
    error = tables.refused('Contact', {'LastName': 'L', 'RecordTypeId': foreign['Id']})
    assert (error.code, error.fields) == ('INVALID_CROSS_REFERENCE_KEY', ('RecordTypeId',))


def test_records_are_found_by_both_forms_of_their_id(tables):
    row = tables.write('Contact', {'LastName': 'L'})
    contact = tables.schema.find('Contact')
    assert tables.records.get(contact, row['Id']) is tables.records.get(contact, row['Id'][:15]) is row
    assert tables.records.at(row['Id'][:15]) is row
    assert tables.records.at('zzz000000000000AAA') is None


@pytest.mark.parametrize('record_id', ['nobody', '003000000000000AAA', '001000000000000AAA'])
def test_what_is_not_there_is_not_found(tables, record_id):
    tables.write('Account', {'Name': 'Acme'})
    with pytest.raises(OrgError) as refused:
        tables.records.get(tables.schema.find('Contact'), record_id)
    assert (refused.value.status, refused.value.code) == (404, 'NOT_FOUND')


def test_deleted_records_are_in_the_bin(tables):
    contact = tables.schema.find('Contact')
    row = tables.write('Contact', {'LastName': 'L'})
    with pytest.raises(OrgError) as refused:
        tables.records.get(contact, row['Id'], from_bin=True)
    assert refused.value.code == 'NOT_FOUND'
    tables.records.put(contact, {**row, 'IsDeleted': True})
    assert tables.records.get(contact, row['Id'], from_bin=True)['Id'] == row['Id']
    assert tables.records.rows(contact) == []
    assert len(tables.records.rows(contact, with_deleted=True)) == 1
    with pytest.raises(OrgError) as refused:
        tables.records.get(contact, row['Id'])
    assert (refused.value.status, refused.value.code) == (404, 'ENTITY_IS_DELETED')


def test_texts_compare_without_case_and_ids_with_it():
    assert comparable(FieldType.STRING, 'Ada') == comparable(FieldType.EMAIL, 'ADA')
    assert comparable(FieldType.ID, 'Ada') != comparable(FieldType.ID, 'ADA')
    assert comparable(FieldType.INT, 5) == 5


def test_old_records_get_the_fields_that_their_object_has_got_since(tables):
    row = tables.write('Contact', {'LastName': 'L'})
    wider = tables.schema.find('Contact').extended(
        [read_field('Old__c', 'boolean'), read_field('Level__c', 'int')]
    )
    tables.schema.put(wider)
    tables.records.widen(wider)
    found = tables.records.get(wider, row['Id'])
    assert (found['Old__c'], found['Level__c'], found['LastName']) == (False, None, 'L')


def test_any_number_of_records_may_lack_a_unique_value(tables):
    key = read_field('Key__c', {'type': 'text', 'external_id': True})
    tables.schema.put(tables.schema.find('Box__c').extended([key]))
    tables.write('Box__c', {})
    tables.write('Box__c', {})
    tables.write('Box__c', {'Key__c': 'A'})
    assert tables.refused('Box__c', {'Key__c': 'a'}).code == 'DUPLICATE_VALUE'
