"""Wire forms: what goes out, and what any JSON object that comes in is taken for."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nameko_salesforce.bayeux.advice import AdviceUpdate, Reconnect
from nameko_salesforce.bayeux.messages import (
    Connect,
    Delivery,
    Disconnect,
    Publish,
    Reply,
    Subscribe,
    Unreadable,
    Unsubscribe,
    parse,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        'channel',
        'data',
        'id',
        'successful',
        'error',
        'advice',
        'ext',
        'clientId',
        'subscription',
        'version',
        'minimumVersion',
        'supportedConnectionTypes',
    ]
)
CHANNELS = st.sampled_from(['/meta/connect', '/meta/handshake', '/a', '', None, 7])


# --- out ----------------------------------------------------------------------------------------


def test_a_hold_goes_out_in_milliseconds():
    assert Connect('1', 'c', hold=1.5).wire()['advice'] == {'timeout': 1500}


def test_an_empty_ext_is_left_out():
    assert 'ext' not in Subscribe('1', 'c', '/a', {}).wire()
    assert 'ext' not in Subscribe('1', 'c', '/a').wire()


def test_a_subscription_is_one_channel_with_its_ext():
    assert Subscribe('1', 'c', '/a', {'replay': {'/a': -1}}).wire() == {
        'channel': '/meta/subscribe',
        'id': '1',
        'clientId': 'c',
        'subscription': '/a',
        'ext': {'replay': {'/a': -1}},
    }


def test_the_other_requests_name_channel_id_and_client():
    assert Unsubscribe('1', 'c', '/a').wire() == {
        'channel': '/meta/unsubscribe',
        'id': '1',
        'clientId': 'c',
        'subscription': '/a',
    }
    assert Disconnect('1', 'c').wire() == {'channel': '/meta/disconnect', 'id': '1', 'clientId': 'c'}
    assert Publish('1', 'c', '/a', None).wire() == {'channel': '/a', 'id': '1', 'clientId': 'c', 'data': None}


# --- in -----------------------------------------------------------------------------------------


def test_data_makes_an_event():
    assert parse({'channel': '/a', 'data': {'x': 1}, 'id': 7, 'ext': {'e': 1}}) == Delivery(
        '/a', {'x': 1}, '7', {'e': 1}
    )


def test_null_is_data_too():
    assert parse({'channel': '/a', 'data': None}) == Delivery('/a', None)


def test_success_without_data_makes_a_reply():
    assert parse({'channel': '/a', 'successful': True, 'id': '1'}) == Reply('/a', '1', successful=True)


def test_anything_on_a_meta_channel_is_a_reply():
    assert parse({'channel': '/meta/connect', 'data': 1, 'successful': True}) == Reply(
        '/meta/connect', successful=True
    )


@pytest.mark.defect('D3')
def test_a_bare_disconnect_is_a_reply_that_answers_nothing():
    assert parse({'channel': '/meta/disconnect'}) == Reply('/meta/disconnect')


@pytest.mark.parametrize('value', ['true', 1, 0, None, 'yes', {}])
def test_only_true_and_false_say_something(value):
    assert parse({'channel': '/meta/connect', 'successful': value}).successful is None


def test_an_error_says_no_even_alone():
    assert parse({'channel': '/meta/connect', 'error': '402::x'}).successful is False
    assert parse({'channel': '/meta/connect', 'error': ''}).successful is None


def test_an_error_without_channel_is_a_reply():
    reply = parse({'error': '401::Request requires authentication', 'successful': False})
    assert reply == Reply('', successful=False, error='401::Request requires authentication')


def test_salesforce_failure_reason_is_found():
    ext = {'sfdc': {'failureReason': '401::Authentication invalid'}, 'replay': True}
    reply = parse({'channel': '/meta/handshake', 'successful': False, 'ext': ext})
    assert reply.failure_reason == '401::Authentication invalid'


@pytest.mark.parametrize('value', [7, True, 0.5, ['c'], {'c': 1}, None])
def test_a_session_has_a_text_for_its_id(value):
    assert parse({'channel': '/meta/handshake', 'successful': True, 'clientId': value}).client_id == ''


def test_a_number_that_no_text_holds_is_none():
    assert parse({'channel': '/meta/connect', 'successful': True, 'id': 10**5000}).id == ''


def test_words_of_any_length_are_cut():
    long = 'x' * 10**6
    reply = parse(
        {
            'channel': '/meta/handshake',
            'error': '401::' + long,
            'version': long,
            'minimumVersion': long,
            'supportedConnectionTypes': [long] * 1000,
            'ext': {'sfdc': {'failureReason': '403:' + long}},
        }
    )
    assert reply.error == '401::' + 'x' * 995
    assert reply.failure_reason == '403:' + 'x' * 996
    assert {len(reply.version), len(reply.minimum_version), len(reply.connection_types[0])} == {1000}
    assert len(reply.connection_types) == 20


def test_what_is_neither_is_named_by_its_fields():
    assert parse({'foo': 1, 'bar': 2}) == Unreadable('fields: foo, bar')


def test_advice_becomes_seconds():
    advice = {'reconnect': 'retry', 'interval': 500, 'timeout': 110000, 'maxInterval': 10000}
    assert parse({'channel': '/meta/connect', 'advice': advice}).advice == AdviceUpdate(
        Reconnect.RETRY, 0.5, 110.0, 10.0
    )


def test_the_section_of_our_transport_wins():
    advice = {'timeout': 1000, 'interval': 1, 'long-polling': {'timeout': 2000}}
    assert parse({'channel': '/meta/connect', 'advice': advice}).advice == AdviceUpdate(
        interval=0.001, timeout=2.0
    )


def test_an_unknown_reconnect_counts_as_none():
    advice = parse({'channel': '/meta/connect', 'advice': {'reconnect': 'perhaps'}}).advice
    assert advice.reconnect is Reconnect.NONE


def test_multiple_clients_is_read():
    assert parse({'channel': '/meta/connect', 'advice': {'multiple-clients': True}}).advice.multiple_clients


@pytest.mark.parametrize(
    ('wire', 'seconds'),
    [
        ('2000', 2.0),
        (float('nan'), None),
        (True, None),
        ('soon', None),
        ([], None),
        (float('inf'), 3600.0),
        (10**400, 3600.0),
        (-5, -0.005),
    ],
)
def test_an_interval_that_is_no_number_is_ignored_and_an_absurd_one_is_cut(wire, seconds):
    assert parse({'channel': '/meta/connect', 'advice': {'interval': wire}}).advice.interval == seconds


@given(st.dictionaries(FIELDS | st.text(), JSON | CHANNELS, max_size=8))
@example({'channel': '/meta/handshake', 'supportedConnectionTypes': [[], None, 1]})
@example({'channel': '/meta/connect', 'advice': {'long-polling': 7, 'reconnect': []}})
def test_any_object_is_read_without_an_exception(message):
    assert isinstance(parse(message), Delivery | Reply | Unreadable)
