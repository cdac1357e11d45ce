"""The default codec writes compact UTF-8 that every JSON reader understands."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
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
    assert JSON.decode(data.decode()) == value


def outcome(read, text):
    try:
        # By its repr: 1, 1.0 and True are equal, NaN is not equal to itself.
        return repr(read(text))
    except Exception as error:
        return type(error)


numbers = st.from_regex(r'-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?', fullmatch=True)
strings = st.text(st.characters(), max_size=8).map(json.dumps)
fragments = st.sampled_from(
    ['[', ']', '{', '}', ',', ':', '"', '\\u', 'd800', 'NaN', '-Infinity', 'null', ' ', '\n']
)
texts = st.lists(numbers | strings | fragments, max_size=8).map(''.join)


@settings(deadline=None)
@given(texts | texts.map('[{}]'.format) | numbers | values.map(json.dumps))
@example('[' * 100_000 + ']' * 100_000)
@example('9' * 5000)
@example('18446744073709551616')
@example('19790214613264048733')
@example('1e400')
@example('"\\ud800"')
@example('\ufeff1')
@example('{"a":1,"a":2}')
def test_text_is_read_as_the_standard_library_reads_it(text):
    assert outcome(JSON.decode, text) == outcome(json.loads, text)


def test_no_byte_is_spent_on_white_space_and_escapes():
    assert JSON.encode({'a': ['é', 1]}) == '{"a":["é",1]}'.encode()


def test_a_lone_surrogate_is_escaped():
    assert JSON.encode({'a': '\ud800é'}) == b'{"a":"\\ud800\\u00e9"}'


@pytest.mark.parametrize(('value', 'error'), [({'a': float('nan')}, ValueError), ({'a': {1}}, TypeError)])
def test_what_json_does_not_know_is_refused(value, error):
    with pytest.raises(error):
        JSON.encode(value)


def test_another_decoder_gives_another_number_type():
    exact = Codec(encode=JSON.encode, decode=json.JSONDecoder(parse_float=Decimal).decode)
    assert MessageDecoder(decode=exact.decode).feed(b'[{"a":0.1}]') == [{'a': Decimal('0.1')}]
