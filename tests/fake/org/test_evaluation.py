from datetime import UTC, date, datetime, timedelta

import pytest
from fake_salesforce.org.binding import bind
from fake_salesforce.org.evaluation import matches, value_of
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.schema import Schema
from fake_salesforce.org.soql import parse
from fake_salesforce.org.standard import custom_object, standard_schema
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fake.org.conftest import quoted

SCHEMA = Schema(standard_schema())
FIELDS = {
    'Text__c': 'text',
    'Number__c': 'number',
    'Flag__c': 'boolean',
    'Day__c': 'date',
    'Moment__c': 'datetime',
}
SCHEMA.put(
    custom_object(
        'Box__c', 'Box', 'a00', [read_field(name, each) for name, each in FIELDS.items()], with_name=True
    )
)
TODAY = date(2026, 3, 2)
NOTHING = {each.name: None for each in SCHEMA.find('Box__c').fields.values()}


def holds(condition, **values):
    where = bind(parse(f'SELECT Id FROM Box__c WHERE {condition}'), SCHEMA).where
    return matches(where, {**NOTHING, **values}, today=TODAY, look=lambda record_id: None)


def test_no_condition_is_met_by_all():
    assert matches(None, NOTHING, today=TODAY, look=lambda record_id: None)


def test_texts_do_not_differ_by_case():
    assert holds("Text__c = 'ADA'", Text__c='Ada')
    assert holds("Text__c IN ('x', 'aDA')", Text__c='Ada')
    assert not holds("Text__c != 'ADA'", Text__c='Ada')
    assert holds("Text__c < 'B'", Text__c='a')
    assert holds("Text__c LIKE 'aD%'", Text__c='ADA')


def test_ids_do():
    record_id, other = 'a00D0000008o6y8IAA', 'A00d0000008O6Y8'
    assert holds(f"Id = '{record_id}'", Id=record_id)
    assert holds(f"Id = '{record_id[:15]}'", Id=record_id)
    assert not holds(f"Id = '{other}'", Id=record_id)


def test_an_empty_field_is_unequal_to_every_value():
    assert holds("Text__c != 'x'")
    assert holds("Text__c NOT IN ('x', 'y')")
    assert holds("NOT Text__c = 'x'")
    assert holds('Number__c != 5')


def test_an_empty_field_meets_nothing_else():
    for condition in (
        "Text__c = 'x'",
        "Text__c LIKE '%'",
        'Number__c < 5',
        'Number__c >= 5',
        'Day__c = TODAY',
        'Day__c < TODAY',
    ):
        assert not holds(condition)


def test_empty_is_null_and_an_empty_text():
    assert holds('Text__c = null')
    assert holds("Text__c = ''")
    assert holds('Number__c IN (1, null)')
    assert not holds('Text__c != null')
    assert not holds('Text__c = null', Text__c='x')
    assert not holds('Number__c > null', Number__c=5)


@pytest.mark.parametrize(
    ('operator', 'results'),
    [
        ('<', [True, False, False]),
        ('<=', [True, True, False]),
        ('>', [False, False, True]),
        ('>=', [False, True, True]),
    ],
)
def test_numbers_days_and_moments_are_in_order(operator, results):
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    hour, day = timedelta(hours=1), timedelta(days=1)
    assert [holds(f'Number__c {operator} 5', Number__c=each) for each in (4.5, 5.0, 6.0)] == results
    assert [
        holds(f'Day__c {operator} 2026-03-02', Day__c=each) for each in (TODAY - day, TODAY, TODAY + day)
    ] == results
    condition = f'Moment__c {operator} 2026-03-02T12:00:00Z'
    assert [holds(condition, Moment__c=each) for each in (noon - hour, noon, noon + hour)] == results
    condition = f'Moment__c {operator} TODAY'
    assert [holds(condition, Moment__c=each) for each in (noon - day, noon, noon + day)] == results


def test_a_period_is_one_long_moment():
    inside, after = datetime(2026, 3, 31, 23, 59, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    assert holds('Moment__c = THIS_MONTH', Moment__c=inside)
    assert not holds('Moment__c = THIS_MONTH', Moment__c=after)
    assert not holds('Moment__c > THIS_MONTH', Moment__c=inside)
    assert holds('Moment__c > THIS_MONTH', Moment__c=after)
    assert holds('Day__c != TODAY', Day__c=None)


@pytest.mark.parametrize(
    ('pattern', 'text', 'result'),
    [
        ('a%', 'abc', True),
        ('%c', 'abc', True),
        ('a_c', 'abc', True),
        ('a_c', 'ac', False),
        ('abc', 'abcd', False),
        ('a.c', 'abc', False),
        (r'a\_c', 'abc', False),
        (r'a\_c', 'a_c', True),
        (r'100\%', '100%', True),
        (r'100\%', '1000', False),
        (r'O\'B%', "O'Brien", True),
        ('%', 'a\nb', True),
        ('', 'a', False),
    ],
)
def test_patterns(pattern, text, result):
    assert holds(f"Text__c LIKE '{pattern}'", Text__c=text) is result


@pytest.mark.parametrize(
    ('operator', 'results'),
    [
        ('=', [False, True, True, False]),
        ('<', [True, False, False, False]),
        ('<=', [True, True, True, False]),
        ('>', [False, False, False, True]),
        ('>=', [False, True, True, True]),
    ],
)
def test_a_period_begins_and_ends_to_the_millisecond(operator, results):
    first, after = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    tick = timedelta(milliseconds=1)
    moments = (first - tick, first, after - tick, after)
    assert [holds(f'Moment__c {operator} TODAY', Moment__c=each) for each in moments] == results


def test_related_records_are_looked_up():
    schema = SCHEMA
    column = bind(parse('SELECT Owner.Name FROM Box__c'), schema).columns[0]
    users = {'005': {'Name': 'Ada'}}
    assert value_of(column, {'OwnerId': '005'}, users.get) == 'Ada'
    assert value_of(column, {'OwnerId': '006'}, users.get) is None
    assert value_of(column, {'OwnerId': None}, users.get) is None


# --- against a naive reference ------------------------------------------------------------------

TEXTS = st.text("aAbB_%\\'", max_size=4)
NUMBERS = st.integers(-3, 3).map(float)


def like(pattern, text):
    """What a pattern matches, character by character; `pattern` is a list of characters and wildcards."""
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == '%':
        return any(like(rest, text[skipped:]) for skipped in range(len(text) + 1))
    return bool(text) and (first == '_' or first[-1].lower() == text[0].lower()) and like(rest, text[1:])


PATTERNS = st.lists(st.sampled_from(['%', '_', 'a', 'B', '\\%', '\\_', "\\'", '\\\\']), max_size=5)


@given(PATTERNS, TEXTS)
@example(['\\%'], '%')
def test_patterns_match_as_they_do_character_by_character(pattern, text):
    expected = like(pattern, text) and text != ''
    assert holds(f"Text__c LIKE '{''.join(pattern)}'", Text__c=text or None) is expected


OPERATORS = {
    '=': lambda a, b: a == b,
    '!=': lambda a, b: a != b,
    '<': lambda a, b: None not in (a, b) and a < b,
    '<=': lambda a, b: None not in (a, b) and a <= b,
    '>': lambda a, b: None not in (a, b) and a > b,
    '>=': lambda a, b: None not in (a, b) and a >= b,
}
CHECKS = st.one_of(
    st.tuples(st.sampled_from(sorted(OPERATORS)), NUMBERS | st.none()).map(
        lambda each: (
            f'Number__c {each[0]} {"null" if each[1] is None else each[1]}',
            lambda text, number: OPERATORS[each[0]](number, each[1]),
        )
    ),
    st.tuples(st.sampled_from(sorted(OPERATORS)), TEXTS).map(
        lambda each: (
            f'Text__c {each[0]} {quoted(each[1])}',
            lambda text, number: OPERATORS[each[0]](text.lower() or None, each[1].lower() or None),
        )
    ),
    st.tuples(st.booleans(), st.lists(NUMBERS, min_size=1, max_size=3)).map(
        lambda each: (
            f'Number__c {"NOT " if each[0] else ""}IN ({", ".join(map(str, each[1]))})',
            lambda text, number: (number in each[1]) != each[0],
        )
    ),
)
CONDITIONS = st.recursive(
    CHECKS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(
            lambda parts: (
                f'({" AND ".join(each for each, _ in parts)})',
                lambda text, number: all(check(text, number) for _, check in parts),
            )
        ),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda parts: (
                f'({" OR ".join(each for each, _ in parts)})',
                lambda text, number: any(check(text, number) for _, check in parts),
            )
        ),
        inner.map(lambda part: (f'NOT {part[0]}', lambda text, number: not part[1](text, number))),
    ),
    max_leaves=5,
)


@given(CONDITIONS, st.lists(st.tuples(TEXTS, NUMBERS | st.none()), min_size=1, max_size=5))
def test_conditions_hold_as_plain_python_says(condition, rows):
    written, expected = condition
    for text, number in rows:
        assert holds(written, Text__c=text or None, Number__c=number) is expected(text, number)


def test_the_reference_itself():
    assert like(['a', '%', '\\%'], 'abc%')
    assert not like(['_'], '')
