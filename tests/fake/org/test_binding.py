from datetime import date

import pytest
from fake_salesforce.org.binding import AllOf, AnyOf, Check, Contrary, bind, columns_of
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.notation import read_field
from fake_salesforce.org.schema import Schema
from fake_salesforce.org.soql import parse
from fake_salesforce.org.standard import custom_object, platform_event, standard_schema
from fake_salesforce.org.syntax import DateLiteral

SCHEMA = Schema(standard_schema())
SCHEMA.put(
    custom_object(
        'Box__c',
        'Box',
        'a00',
        [
            read_field('Size__c', 'number'),
            read_field('Account__c', {'reference': 'Account'}),
            read_field('Due__c', 'date'),
            read_field('Open__c', 'boolean'),
        ],
        with_name=True,
    )
)
SCHEMA.put(platform_event('Low_Ink__e', 'Low Ink', 'e00', []))
SHORT = 'a00D0000008o6y8'


def bound(text):
    return bind(parse(text), SCHEMA)


def where(condition):
    return bound(f'SELECT Id FROM Box__c WHERE {condition}').where


def refusal(text):
    with pytest.raises(OrgError) as refused:
        bound(text)
    return refused.value


def test_names_become_those_of_the_org():
    selection = bound('SELECT ID, name FROM BOX__C ORDER BY SIZE__C DESC')
    assert selection.sobject.name == 'Box__c'
    assert [each.field.name for each in selection.columns] == ['Id', 'Name']
    (key,) = selection.order
    assert (key.column.field.name, key.descending, key.nulls_last) == ('Size__c', True, False)


def test_relationships_become_links():
    (column, owner) = bound('SELECT account__r.parent.name, Owner.Name FROM Box__c').columns
    assert [each.name for each in column.links] == ['Account__c', 'ParentId']
    assert column.field.name == 'Name'
    assert [each.name for each in owner.links] == ['OwnerId']


@pytest.mark.parametrize(
    'text', ['SELECT b.Id FROM Box__c b', 'SELECT Box__c.Id FROM Box__c', 'SELECT B.Id FROM Box__c b']
)
def test_the_object_and_its_alias_may_stand_before_a_field(text):
    (column,) = bound(text).columns
    assert (column.links, column.field.name) == ((), 'Id')


def test_conditions_keep_their_structure():
    tree = where("Size__c > 1 AND (Open__c = true OR NOT Name = 'x')")
    assert isinstance(tree, AllOf)
    assert isinstance(tree.parts[1], AnyOf)
    assert isinstance(tree.parts[1].parts[1], Contrary)
    assert [each.field.name for each in columns_of(tree)] == ['Size__c', 'Open__c', 'Name']
    assert columns_of(None) == []


@pytest.mark.parametrize(
    ('condition', 'value'),
    [
        ("Name = 'a\\'b'", "a'b"),
        ("Name = ''", None),
        ("Name LIKE 'a\\_%'", 'a\\_%'),
        ('Size__c = 5', 5),
        ('Open__c = true', True),
        ('Due__c = 2026-03-02', date(2026, 3, 2)),
        ('Due__c = TODAY', DateLiteral('TODAY', None)),
        ('CreatedDate > LAST_N_DAYS:3', DateLiteral('LAST_N_DAYS', 3)),
        (f"Id = '{SHORT}'", SHORT + 'IAA'),
        ("Account__c = ''", None),
        ('Account__c != null', None),
    ],
)
def test_literals_become_values(condition, value):
    check = where(condition)
    assert isinstance(check, Check)
    assert check.values == (value,)


@pytest.mark.parametrize(
    ('condition', 'problem'),
    [
        ('Name = 5', "'Name' must be of type string and should be enclosed in quotes"),
        ('Name = true', "'Name' must be of type string and should be enclosed in quotes"),
        ("Size__c = '5'", "'Size__c' must be of type double and should not be enclosed in quotes"),
        ('Size__c = true', "'Size__c' must be of type double and should not be enclosed in quotes"),
        ("Open__c = 'true'", "'Open__c' must be of type boolean and should not be enclosed in quotes"),
        ('Open__c = 1', "'Open__c' must be of type boolean and should not be enclosed in quotes"),
        ("Due__c = '2026-03-02'", "'Due__c' must be of type date and should not be enclosed in quotes"),
        (
            'Due__c = 2026-03-02T00:00:00Z',
            "'Due__c' must be of type date and should not be enclosed in quotes",
        ),
        (
            'CreatedDate = 2026-03-02',
            "'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
        ),
        ('Id = 5', "'Id' must be of type ID and should be enclosed in quotes"),
        ('Name = TODAY', "'Name' must be of type string and should be enclosed in quotes"),
    ],
)
def test_literals_of_another_type_are_refused(condition, problem):
    error = refusal(f'SELECT Id FROM Box__c WHERE {condition}')
    assert error.code == 'INVALID_FIELD'
    assert error.message.endswith(f'ERROR at Row:1:Column:29\nvalue of filter criterion for field {problem}')


def test_a_text_that_is_no_id_is_refused():
    error = refusal("SELECT Id FROM Box__c WHERE Id = 'nobody'")
    assert error.code == 'INVALID_QUERY_FILTER_OPERATOR'
    assert error.message.endswith('invalid ID field: nobody')


@pytest.mark.parametrize(
    ('condition', 'kind'),
    [("Id LIKE '0%'", 'id'), ("Id > '0'", 'id'), ('Open__c > true', 'boolean'), ('Size__c LIKE 5', 'double')],
)
def test_operators_that_do_not_fit_are_refused(condition, kind):
    error = refusal(f'SELECT Id FROM Box__c WHERE {condition}')
    assert error.message.endswith(f'invalid operator on {kind} field')


def test_long_texts_cannot_be_filtered():
    error = refusal("SELECT Id FROM Account WHERE Description = 'x'")
    assert error.message.endswith("field 'Description' can not be filtered in a query call")
    assert error.fields == ('Description',)


@pytest.mark.parametrize(
    'text',
    ['SELECT Nope FROM Box__c', 'SELECT Id FROM Box__c ORDER BY Nope', 'SELECT Account__r.Nope FROM Box__c'],
)
def test_unknown_fields_are_refused(text):
    error = refusal(text)
    assert (error.code, error.fields) == ('INVALID_FIELD', ('Nope',))
    assert "No such column 'Nope' on entity '" in error.message


def test_unknown_relationships_are_refused():
    error = refusal('SELECT Id, Size__c.Name FROM Box__c')
    assert error.code == 'INVALID_FIELD'
    assert error.message.endswith("Column:12\nDidn't understand relationship 'Size__c' in field path.")


@pytest.mark.parametrize('name', ['Nope', 'Low_Ink__e'])
def test_unknown_objects_and_events_are_refused(name):
    error = refusal(f'SELECT Id FROM {name}')
    assert error.code == 'INVALID_TYPE'
    assert f"Column:16\nsObject type '{name}' is not supported." in error.message


@pytest.mark.parametrize(
    'text', ['SELECT MAX(Size__c) FROM Box__c', 'SELECT Id FROM Box__c WHERE Id IN (SELECT Id FROM Box__c)']
)
def test_what_is_not_run_is_for_the_caller_to_refuse(text):
    with pytest.raises(ValueError, match='cannot bind'):
        bound(text)


def test_the_object_is_no_field_of_itself():
    for text in ('SELECT Box__c FROM Box__c', 'SELECT b FROM Box__c b'):
        assert refusal(text).code == 'INVALID_FIELD'
