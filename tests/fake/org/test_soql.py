from datetime import UTC, date, datetime

import pytest
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.soql import parse, pointed
from fake_salesforce.org.syntax import (
    All,
    Comparison,
    Construct,
    DateLiteral,
    Either,
    Not,
    SemiJoin,
    Text,
)
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fake.org.conftest import quoted


def where(condition):
    return parse(f'SELECT Id FROM Contact WHERE {condition}').where


def refusal(text):
    with pytest.raises(OrgError) as refused:
        parse(text)
    assert refused.value.code == 'MALFORMED_QUERY'
    return refused.value.message


def test_fields_and_object():
    query = parse('SELECT Id, Account.Name FROM Contact')
    assert [each.steps for each in query.fields] == [('Id',), ('Account', 'Name')]
    assert [each.column for each in query.fields] == [8, 12]
    assert (query.sobject, query.column, query.alias) == ('Contact', 30, None)
    assert (query.where, query.order, query.limit, query.offset, query.count) == (None, (), None, None, False)
    assert query.constructs == frozenset()


def test_keywords_come_in_any_case_and_on_any_line():
    query = parse(
        "select Id\n  from Contact c\n\twhere Name like 'a%' order by Name desc nulls last limit 5 Offset 2"
    )
    assert query.alias == 'c'
    assert query.where.operator == 'LIKE'
    assert [(str(each.path), each.descending, each.nulls_last) for each in query.order] == [
        ('Name', True, True)
    ]
    assert (query.limit, query.offset) == (5, 2)


def test_names_may_look_like_keywords():
    query = parse(
        "SELECT Id, Industry, Ordering__c, FromDate__c FROM Order WHERE Notes__c = 'x' AND INN__c = 1"
    )
    assert [str(each) for each in query.fields] == ['Id', 'Industry', 'Ordering__c', 'FromDate__c']
    assert query.sobject == 'Order'


def test_several_keys_of_order():
    keys = parse('SELECT Id FROM Contact ORDER BY Name ASC NULLS FIRST, Account.Name, Email DESC').order
    assert [(str(each.path), each.descending, each.nulls_last) for each in keys] == [
        ('Name', False, False),
        ('Account.Name', False, False),
        ('Email', True, False),
    ]


@pytest.mark.parametrize('operator', ['=', '!=', '<', '<=', '>', '>='])
def test_comparisons(operator):
    test = where(f'A {operator}5')
    assert (str(test.path), test.operator, test.values) == ('A', operator, (5,))


def test_unequal_has_two_spellings():
    assert where('A <> 5').operator == '!='


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ("'a'", Text('a')),
        ("''", Text('')),
        (r"'O\'Brien'", Text(r'O\'Brien')),
        (r"'\u0041\u00e4'", Text(r'\u0041\u00e4')),
        ('5', 5),
        ('-5', -5),
        ('+5.25', 5.25),
        ('TRUE', True),
        ('false', False),
        ('Null', None),
        ('2026-03-02', date(2026, 3, 2)),
        ('2026-03-02T10:00:00Z', datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ('2026-03-02t10:00:00.000+02:00', datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ('today', DateLiteral('TODAY', None)),
        ('LAST_N_DAYS:30', DateLiteral('LAST_N_DAYS', 30)),
    ],
)
def test_literals(text, value):
    (found,) = where(f'A = {text}').values
    assert found == value
    assert type(found) is type(value)


def test_lists():
    test = where("A IN ('a', 'b')")
    assert (test.operator, test.values) == ('IN', (Text('a'), Text('b')))
    test = where('A not in (1, 2.5, null)')
    assert (test.operator, test.values) == ('NOT IN', (1, 2.5, None))


def test_conditions_are_joined():
    tree = where('A = 1 AND (B = 2 OR NOT C = 3) AND NOT (D = 4 AND E = 5)')
    assert isinstance(tree, All)
    first, second, third = tree.parts
    assert isinstance(first, Comparison)
    assert isinstance(second, Either)
    assert isinstance(second.parts[1], Not)
    assert isinstance(third.part, All)


def test_and_and_or_mix_in_parentheses_only():
    assert refusal('SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3') == (
        '\nSELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3'
        '\n                                             ^'
        "\nERROR at Row:1:Column:46\nunexpected token: 'OR'"
    )


def test_counting():
    query = parse('SELECT COUNT() FROM Contact')
    assert query.count
    assert query.fields == ()
    assert query.constructs == frozenset()


@pytest.mark.parametrize(
    ('text', 'construct'),
    [
        ('SELECT Id, (SELECT Id FROM Contacts) FROM Account', Construct.SUB_SELECT),
        ('SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)', Construct.SEMI_JOIN),
        (
            'SELECT Id FROM Account WHERE NOT (A = 1 AND Id NOT IN (SELECT AccountId FROM Contact))',
            Construct.SEMI_JOIN,
        ),
        ('SELECT MAX(Amount) FROM Opportunity', Construct.AGGREGATE),
        ('SELECT Id, AVG(Amount) average FROM Opportunity', Construct.AGGREGATE),
        ('SELECT COUNT(Id) FROM Opportunity', Construct.AGGREGATE),
        ('SELECT COUNT(), COUNT() FROM Opportunity', Construct.AGGREGATE),
        ('SELECT MAX() FROM Opportunity', Construct.AGGREGATE),
        ('SELECT Id, COUNT() FROM Opportunity', Construct.AGGREGATE),
        ('SELECT StageName FROM Opportunity GROUP BY StageName', Construct.AGGREGATE),
        ('SELECT Name, COUNT(Id) FROM Lead GROUP BY Name HAVING COUNT(Id) > 1', Construct.AGGREGATE),
        (
            'SELECT TYPEOF What WHEN Account THEN Phone, Fax WHEN Lead THEN Id ELSE Name END FROM Event',
            Construct.TYPEOF,
        ),
    ],
)
def test_what_the_org_does_not_run_is_recognised(text, construct):
    assert parse(text).constructs == {construct}


def test_a_semi_join_keeps_its_field():
    assert isinstance(where('Id IN (SELECT AccountId FROM Contact)'), SemiJoin)


@pytest.mark.parametrize(
    ('text', 'place', 'problem'),
    [
        ('', '1:Column:1', "unexpected token: '<EOF>'"),
        ('SELECT Id FROM', '1:Column:15', "unexpected token: '<EOF>'"),
        ('SELECT Id FORM Contact', '1:Column:11', "unexpected token: 'FORM'"),
        ('SELECT * FROM Contact', '1:Column:8', "unexpected token: '*'"),
        ('SELECT Id\nFROM Contact\nWHERE = 5', '3:Column:7', "unexpected token: '='"),
        ('UPDATE Contact', '1:Column:1', "unexpected token: 'UPDATE'"),
        ("SELECT Id FROM Contact WHERE A = 'x", '1:Column:34', 'string literal is not terminated'),
        (
            r"SELECT Id FROM Contact WHERE A = '\q'",
            '1:Column:34',
            r"Invalid string literal. Illegal character sequence '\q' in string literal",
        ),
        ('SELECT Id FROM Contact WHERE A = "x"', '1:Column:34', "unexpected token: '\"'"),
        ('SELECT Id FROM Contact WHERE A = 2026-13-01', '1:Column:34', 'Invalid date: 2026-13-01'),
        (
            'SELECT Id FROM Contact WHERE A = 2026-01-01T25:00:00Z',
            '1:Column:34',
            'Invalid datetime: 2026-01-01T25:00:00Z',
        ),
        ('SELECT Id FROM Contact WHERE A = LAST_N_DAYS', '1:Column:34', "unexpected token: 'LAST_N_DAYS'"),
        ('SELECT Id FROM Contact WHERE A = TODAY:5', '1:Column:34', "unexpected token: 'TODAY:5'"),
        ('SELECT Id FROM Contact WHERE A = :name', '1:Column:34', "unexpected token: ':'"),
        (f'SELECT Id FROM Contact WHERE A = {"9" * 19}', '1:Column:34', "unexpected token: '9'"),
        ('SELECT Id FROM Contact LIMIT 1.5', '1:Column:30', "unexpected token: '1.5'"),
        ('SELECT Id FROM Contact OFFSET -1', '1:Column:31', "unexpected token: '-1'"),
        ('SELECT Id FROM Contact LIMIT 5 WHERE A = 1', '1:Column:32', "unexpected token: 'WHERE'"),
    ],
)
def test_what_cannot_be_read_is_shown_with_its_place(text, place, problem):
    message = refusal(text)
    assert message.endswith(f'\nERROR at Row:{place}\n{problem}')
    line = text.split('\n')[int(place[0]) - 1]
    assert message.startswith(f'\n{line}\n')


def test_the_pointer_is_under_the_place():
    assert pointed('ab\ncde', 5, 'no') == '\ncde\n ^\nERROR at Row:2:Column:2\nno'


@given(st.text())
@example("O'Brien\\")
@example("' OR Name != '")
def test_any_quoted_text_is_one_literal(value):
    test = where(f'Name = {quoted(value)}')
    assert isinstance(test, Comparison)
    assert test.values[0].value == value


NAMES = st.sampled_from(['A', 'Industry', 'Account.Name', 'X__c', 'Order__r.From__c'])
LITERALS = st.one_of(
    st.text().map(quoted),
    st.integers(-(10**17), 10**17).map(str),
    st.sampled_from(['TRUE', 'null', 'TODAY', '2026-03-02', '5.25']),
)
TESTS = st.one_of(
    st.tuples(NAMES, st.sampled_from(['=', '!=', '<', 'LIKE']), LITERALS).map(' '.join),
    st.tuples(NAMES, st.sampled_from(['IN', 'NOT IN']), st.lists(LITERALS, min_size=1, max_size=3)).map(
        lambda each: f'{each[0]} {each[1]} ({", ".join(each[2])})'
    ),
)
CONDITIONS = st.recursive(
    TESTS.map(lambda each: (each, each)),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(['AND', 'OR']), st.lists(inner, min_size=2, max_size=3)).map(
            lambda each: (
                f'({f" {each[0]} ".join(text for text, _ in each[1])})',
                (each[0], [x for _, x in each[1]]),
            )
        ),
        inner.map(lambda each: (f'NOT {each[0]}', ('NOT', [each[1]]))),
    ),
    max_leaves=6,
)


def shape(tree):
    """The structure of a parsed condition, to compare with the one that it was written from."""
    match tree:
        case All(parts=parts):
            return ('AND', [shape(each) for each in parts])
        case Either(parts=parts):
            return ('OR', [shape(each) for each in parts])
        case Not(part=part):
            return ('NOT', [shape(part)])
        case _:
            return tree.operator


def operators(written):
    if isinstance(written, tuple):
        return (written[0], [operators(each) for each in written[1]])
    words = written.split(' ')
    return 'NOT IN' if words[1] == 'NOT' else words[1]


@given(CONDITIONS)
def test_conditions_keep_their_structure(condition):
    text, written = condition
    assert shape(where(text)) == operators(written)


def test_conditions_that_are_nested_too_deeply_are_refused():
    with pytest.raises(OrgError, match='nested too deeply') as caught:
        parse('SELECT Id FROM Contact WHERE ' + 'NOT ' * 5000 + "Name = 'x'")
    assert caught.value.code == 'MALFORMED_QUERY'
