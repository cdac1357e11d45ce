"""Events as the developer guides show them, and as no guide shows them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nameko_salesforce.events import ChangeEvent, ChannelKind, PlatformEvent, created_at, replay_id_of

LOW_INK = {
    'schema': 'dffQ2QLzDNHqwB8_sHMxdA',
    'payload': {
        'CreatedDate': '2023-04-09T18:31:40.517Z',
        'CreatedById': '005D0000001cSZs',
        'Printer_Model__c': 'XZO-5',
        'Ink_Percentage__c': 0.2,
    },
    'event': {'EventUuid': '2ec0e371-1395-457f-9275-be1b527a72f7', 'replayId': 2112},
}


def change(change_type, *, record_ids=('001xx',), body=None, **header):
    return ChangeEvent(
        payload={
            'ChangeEventHeader': {
                'entityName': 'Account',
                'recordIds': list(record_ids),
                'changeType': change_type,
                'transactionKey': '001b7375-0086-250e-e6ca-b99bc3a8b69f',
                'sequenceNumber': 1,
                'commitTimestamp': 1501010206653,
                'commitUser': '005xx',
                **header,
            },
            **(body or {}),
        },
        event={'replayId': 6421},
    )


@pytest.mark.parametrize(
    ('channel', 'kind', 'hours'),
    [
        ('/topic/InvoiceStatementUpdates', ChannelKind.TOPIC, 24),
        ("/topic/Accounts?Industry='Energy'", ChannelKind.TOPIC, 24),
        ('/u/notifications/Example', ChannelKind.GENERIC, 24),
        ('/event/Low_Ink__e', ChannelKind.PLATFORM_EVENT, 72),
        ('/data/ChangeEvents', ChannelKind.CHANGE_EVENT, 72),
        ('/systemTopic/Logging', ChannelKind.OTHER, 24),
        ('/topics/x', ChannelKind.OTHER, 24),
    ],
)
def test_the_name_of_a_channel_says_what_it_brings_and_how_long_it_is_kept(channel, kind, hours):
    assert ChannelKind.of(channel) is kind
    assert kind.retention == hours * 3600


def test_a_platform_event_is_its_data_and_names_what_is_in_it():
    event = PlatformEvent(LOW_INK)
    assert event == LOW_INK
    assert json.loads(json.dumps(event)) == LOW_INK
    assert event.payload['Printer_Model__c'] == 'XZO-5'
    assert event.uuid == '2ec0e371-1395-457f-9275-be1b527a72f7'
    assert event.created == datetime(2023, 4, 9, 18, 31, 40, 517000, UTC)
    assert (event.created_by, event.replay_id) == ('005D0000001cSZs', 2112)


def test_a_change_event_has_its_header_and_its_fields_apart():
    event = change('UPDATE', body={'Name': 'Acme', 'Phone': None}, changedFields=['Name', 'Phone'])
    assert (event.entity, event.change_type, event.record_ids) == ('Account', 'UPDATE', ('001xx',))
    assert event.fields == {'Name': 'Acme', 'Phone': None}
    assert event.changed_fields == ('Name', 'Phone')
    assert event.committed == datetime(2017, 7, 25, 19, 16, 46, 653000, UTC)
    assert (event.commit_user, event.sequence_number, event.replay_id) == ('005xx', 1, 6421)
    assert event.transaction_key == '001b7375-0086-250e-e6ca-b99bc3a8b69f'
    assert not event.is_gap
    assert not event.is_overflow


@pytest.mark.parametrize('kind', ['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE'])
def test_a_gap_event_is_marked_and_names_its_records(kind):
    event = change(kind)
    assert event.is_gap
    assert not event.is_overflow
    assert event.record_ids == ('001xx',)


def test_the_placeholder_of_an_overflow_is_no_record():
    event = change('GAP_OVERFLOW', record_ids=['000000000000000AAA'])
    assert event.is_overflow
    assert not event.is_gap
    assert event.record_ids == ()
    assert event.header['recordIds'] == ['000000000000000AAA']


@pytest.mark.defect('S8')
@pytest.mark.parametrize('replay_id', [0, 13, 10**30, '-1', 'AAAB', ''])
def test_a_replay_id_is_whatever_came(replay_id):
    assert replay_id_of({'event': {'replayId': replay_id}}) == replay_id


@pytest.mark.parametrize('replay_id', ['x' * 1001, 10**1000, -(10**1000), 10**5000], ids=range(4))
def test_a_replay_id_that_no_subscription_could_name_is_none(replay_id):
    assert replay_id_of({'event': {'replayId': replay_id}}) is None
    for longest in ('x' * 1000, 10**1000 - 1):
        assert replay_id_of({'event': {'replayId': longest}}) == longest


@pytest.mark.defect('S8')
@pytest.mark.parametrize('data', [None, 'text', [], {}, {'event': None}, {'event': {'replayId': True}}])
def test_an_event_without_a_replay_id_is_no_error(data):
    assert replay_id_of(data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    'payload',
                    'event',
                    'ChangeEventHeader',
                    'recordIds',
                    'changeType',
                    'commitTimestamp',
                    'CreatedDate',
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(['payload', 'event', 'schema']), JSON))
def test_no_event_is_too_odd_to_be_looked_at(data):
    for kind in (PlatformEvent, ChangeEvent):
        event = kind(data)
        seen = {name: getattr(event, name) for name in dir(kind) if isinstance(getattr(kind, name), property)}
        assert event == data
        assert len(seen) >= 5


@pytest.mark.parametrize(
    ('data', 'seconds'),
    [
        (
            {'event': {'createdDate': '2016-03-29T16:40:08.208Z', 'replayId': 13}, 'sobject': {}},
            1459269608.208,
        ),
        ({'event': {'createdDate': '2016-03-29T16:40:08.208+0000'}, 'payload': 'Broadcast'}, 1459269608.208),
        (LOW_INK, 1681065100.517),
        (change('UPDATE'), 1501010206.653),
    ],
)
def test_each_kind_of_event_says_when_it_came_to_be(data, seconds):
    assert created_at(data) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize(
    'data',
    [
        None,
        'text',
        {},
        {'event': {'createdDate': 'yesterday'}},
        {'event': {'createdDate': 5}},
        {'event': {'createdDate': '2016-03-29T16:40:08'}},  # of which zone?
        {'payload': {'CreatedDate': None}},
        change('UPDATE', commitTimestamp='1501010206653'),
        change('UPDATE', commitTimestamp=True),
        change('UPDATE', commitTimestamp=float('nan')),
        change('UPDATE', commitTimestamp=10**400),
    ],
)
def test_an_event_that_does_not_say_when_has_no_time(data):
    assert created_at(data) is None
