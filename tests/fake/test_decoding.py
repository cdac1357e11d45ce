"""JSON as a server should read it."""

import pytest
from fake_salesforce.decoding import DEEPEST, loads


@pytest.mark.parametrize('value', ['{"a": [1, 2.5, null, true]}', '"text"', '[[]]'])
def test_json_is_read(value):
    assert loads(value) is not None


@pytest.mark.parametrize('text', ['', '{', '[NaN]', '[Infinity]', '[-Infinity]', '{"data": 1e999}'])
def test_what_is_no_json_is_refused_also_where_python_would_take_it(text):
    with pytest.raises(ValueError):
        loads(text)


def test_nesting_has_an_end():
    assert loads('[' * DEEPEST + ']' * DEEPEST)
    assert loads('[' + '[],' * DEEPEST + '[]]'), 'wide is not deep'
    with pytest.raises(ValueError, match='nested too deeply'):
        loads('{"a":' * (DEEPEST + 1) + '1' + '}' * (DEEPEST + 1))
