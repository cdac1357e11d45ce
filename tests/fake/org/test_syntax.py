import pytest
from fake_salesforce.org.syntax import ESCAPES, Path, Text, unescaped
from hypothesis import given
from hypothesis import strategies as st

from tests.fake.org.conftest import quoted


@given(st.text())
def test_a_quoted_text_is_read_back(value):
    literal = quoted(value)
    assert literal.startswith("'")
    assert literal.endswith("'")
    assert Text(literal[1:-1]).value == value


@given(st.text())
def test_a_quoted_text_ends_at_its_own_end(value):
    inside = quoted(value)[1:-1]
    assert not inside.replace('\\\\', '').replace("\\'", '').count("'")
    assert '\n' not in inside


@pytest.mark.parametrize(
    ('raw', 'value'),
    [
        ('plain', 'plain'),
        (r'O\'Brien', "O'Brien"),
        (r'a\\b', r'a\b'),
        (r'a\nb\Tc', 'a\nb\tc'),
        (r'100\%\_', '100%_'),
        (r'\u00e4\u0041', 'äA'),
        (r'\"', '"'),
    ],
)
def test_escapes_stand_for_characters(raw, value):
    assert Text(raw).value == value


def test_every_letter_that_may_follow_a_backslash_has_a_meaning():
    assert all(unescaped(letter) == character for letter, character in ESCAPES.items())


def test_a_path_reads_as_written():
    assert str(Path(('Account', 'Name'), 8)) == 'Account.Name'
