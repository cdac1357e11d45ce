"""The default codec writes compact UTF-8 that every JSON reader understands."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameko_salesforce.bayeux.codec import JSON, Codec
from nameko_salesforce.bayeux.decoder import MessageDecoder

values = st.dictionaries(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5
    ),
)


@settings(deadline=None)
@given(values)
def test_what_is_written_is_read_back(value):
    data = JSON.encode(value)
    assert json.loads(data) == value
    assert JSON.scan(data.decode(), 0) == (value, len(data.decode()))


def test_no_byte_is_spent_on_white_space_and_escapes():
    assert JSON.encode({'a': ['é', 1]}) == '{"a":["é",1]}'.encode()


def test_a_lone_surrogate_is_escaped():
    assert JSON.encode({'a': '\ud800é'}) == b'{"a":"\\ud800\\u00e9"}'


@pytest.mark.parametrize(('value', 'error'), [({'a': float('nan')}, ValueError), ({'a': {1}}, TypeError)])
def test_what_json_does_not_know_is_refused(value, error):
    with pytest.raises(error):
        JSON.encode(value)


def test_another_scanner_gives_another_number_type():
    exact = Codec(encode=JSON.encode, scan=json.JSONDecoder(parse_float=Decimal).scan_once)
    assert MessageDecoder(scan=exact.scan).feed(b'[{"a":0.1}]') == [{'a': Decimal('0.1')}]
