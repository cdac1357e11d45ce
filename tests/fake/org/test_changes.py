from datetime import UTC, datetime

import pytest
from fake_salesforce.org.changes import NO_RECORD, Transaction, change, gap, rest_origin, schema_id
from fake_salesforce.org.ids import is_id
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.standard import standard_schema

CONTACT = standard_schema().find('Contact')
ACCOUNT = standard_schema().find('Account')
MOMENT = datetime(2017, 7, 25, 19, 16, 46, 653000, tzinfo=UTC)
ADA = '005tp00000JXAFkAAP'
TRANSACTION = Transaction(
    '001b7375-0086-250e-e6ca-b99bc3a8b69f', 92847272780, MOMENT, ADA, rest_origin('67.0')
)


def row(sobject, **values):
    return {
        **{each.name: None for each in sobject.fields.values()},
        'Id': f'{sobject.prefix}5f00002JUXA8AAP',
        'IsDeleted': False,
        'LastModifiedDate': MOMENT,
        'LastModifiedById': ADA,
        'SystemModstamp': MOMENT,
        **values,
    }


def test_a_new_record_is_told_with_its_fields_that_are_not_empty():
    new = row(ACCOUNT, Name='Acme', AnnualRevenue=5.5)
    data = change(ACCOUNT, 'CREATE', TRANSACTION, old=new, new=new)
    assert data['payload'] == {
        'ChangeEventHeader': {
            'entityName': 'Account',
            'recordIds': ['0015f00002JUXA8AAP'],
            'changeType': 'CREATE',
            'changeOrigin': 'com/salesforce/api/rest/67.0',
            'transactionKey': '001b7375-0086-250e-e6ca-b99bc3a8b69f',
            'sequenceNumber': 1,
            'commitTimestamp': 1501010206653,
            'commitNumber': 92847272780,
            'commitUser': ADA,
        },
        'Name': 'Acme',
        'AnnualRevenue': 5.5,
        'LastModifiedDate': '2017-07-25T19:16:46.653Z',
        'LastModifiedById': ADA,
    }
    assert data['event'] == {}


def test_an_update_is_told_with_what_changed_and_its_date():
    old = row(ACCOUNT, Name='Acme', Phone='1', Industry='Energy')
    new = {**old, 'Phone': '2', 'Industry': None}
    data = change(ACCOUNT, 'UPDATE', TRANSACTION, old=old, new=new)
    header = data['payload'].pop('ChangeEventHeader')
    assert header['changedFields'] == ['Industry', 'Phone', 'LastModifiedDate']
    assert data['payload'] == {'Industry': None, 'Phone': '2', 'LastModifiedDate': '2017-07-25T19:16:46.653Z'}


def test_who_changed_it_is_told_if_it_is_somebody_else():
    old = row(ACCOUNT, Name='Acme')
    new = {**old, 'Name': 'Apex', 'LastModifiedById': '005tp00000JXAFlAAP'}
    data = change(ACCOUNT, 'UPDATE', TRANSACTION, old=old, new=new)
    assert data['payload']['LastModifiedById'] == '005tp00000JXAFlAAP'


def test_a_name_of_parts_is_an_object_and_its_parts_have_paths():
    old = row(CONTACT, FirstName='Ada', LastName='Byron', Name='Ada Byron')
    new = {**old, 'LastName': 'Lovelace', 'Name': 'Ada Lovelace'}
    data = change(CONTACT, 'UPDATE', TRANSACTION, old=old, new=new)
    assert data['payload']['ChangeEventHeader']['changedFields'] == ['Name.LastName', 'LastModifiedDate']
    assert data['payload']['Name'] == {'LastName': 'Lovelace'}
    created = change(CONTACT, 'CREATE', TRANSACTION, old=new, new=new)
    assert created['payload']['Name'] == {'FirstName': 'Ada', 'LastName': 'Lovelace'}


def test_a_deleted_record_is_told_without_fields_and_an_undeleted_one_with_all():
    old = row(ACCOUNT, Name='Acme')
    gone = change(ACCOUNT, 'DELETE', TRANSACTION, old=old, new={**old, 'IsDeleted': True})
    assert list(gone['payload']) == ['ChangeEventHeader']
    back = change(ACCOUNT, 'UNDELETE', TRANSACTION, old=old, new=old)
    assert back['payload']['Name'] == 'Acme'
    assert 'IsDeleted' not in back['payload']


@pytest.mark.parametrize('change_type', ['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE'])
def test_a_gap_is_a_header_alone(change_type):
    data = gap(ACCOUNT, change_type, ['0015f00002JUXA8AAP'], TRANSACTION)
    assert list(data['payload']) == ['ChangeEventHeader']
    assert data['payload']['ChangeEventHeader']['changeType'] == change_type
    assert data['payload']['ChangeEventHeader']['recordIds'] == ['0015f00002JUXA8AAP']


def test_an_overflow_names_a_record_that_is_none():
    assert NO_RECORD == '000000000000000AAA'
    assert is_id(NO_RECORD)


def test_a_schema_has_an_id_that_follows_its_fields():
    fields = list(ACCOUNT.fields.values())
    first = schema_id('AccountChangeEvent', fields)
    assert len(first) == 22
    assert first == schema_id('AccountChangeEvent', fields)
    assert first != schema_id('AccountChangeEvent', [*fields, read_field('X__c', 'text')])
    assert first != schema_id('LeadChangeEvent', fields)
