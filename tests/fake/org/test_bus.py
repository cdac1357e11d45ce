from datetime import UTC, datetime

import pytest
from fake_salesforce.org.bus import MAX_PAYLOAD, generic_event, platform_event
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.standard import platform_event as event_object

MOMENT = datetime(2023, 4, 9, 18, 31, 40, 517000, tzinfo=UTC)


def test_a_platform_event_has_its_fields_its_author_and_a_uuid():
    fields = [read_field('Printer_Model__c', 'text'), read_field('Ink__c', 'number')]
    sobject = event_object('Low_Ink__e', 'Low Ink', 'e00', fields)
    row = {
        'CreatedDate': MOMENT,
        'CreatedById': '005tp00000JXAFkAAP',
        'Printer_Model__c': 'XZO-5',
        'Ink__c': None,
    }
    data = platform_event(sobject, row, '2ec0e371-1395-457f-9275-be1b527a72f7')
    assert len(data.pop('schema')) == 22
    assert data == {
        'payload': {
            'CreatedDate': '2023-04-09T18:31:40.517Z',
            'CreatedById': '005tp00000JXAFkAAP',
            'Printer_Model__c': 'XZO-5',
            'Ink__c': None,
        },
        'event': {'EventUuid': '2ec0e371-1395-457f-9275-be1b527a72f7'},
    }


def test_a_generic_event_has_a_date_and_a_text_and_no_type():
    assert generic_event({'payload': 'Broadcast message', 'userIds': []}, MOMENT) == {
        'event': {'createdDate': '2023-04-09T18:31:40.517Z'},
        'payload': 'Broadcast message',
    }


def test_a_payload_is_not_longer_than_allowed():
    generic_event({'payload': 'x' * MAX_PAYLOAD}, MOMENT)
    with pytest.raises(OrgError) as refused:
        generic_event({'payload': 'x' * (MAX_PAYLOAD + 1)}, MOMENT)
    assert refused.value.fields == ('payload',)
    assert MAX_PAYLOAD == 3000


@pytest.mark.parametrize('event', ['text', {}, {'payload': {'a': 1}}, {'payload': None}])
def test_a_payload_is_a_text(event):
    with pytest.raises(OrgError) as refused:
        generic_event(event, MOMENT)
    assert refused.value.code == 'JSON_PARSER_ERROR'


def test_a_push_to_some_users_is_refused_rather_than_told_to_all():
    with pytest.raises(OrgError) as refused:
        generic_event({'payload': 'x', 'userIds': ['005tp00000JXAFkAAP']}, MOMENT)
    assert refused.value.fields == ('userIds',)
