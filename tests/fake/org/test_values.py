from datetime import UTC, date, datetime

import pytest
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.values import FieldType, event_json, from_json, rest_json

SHORT = 'a00D0000008o6y8'


@pytest.mark.parametrize('type_', FieldType)
def test_nothing_and_an_empty_text_are_nothing(type_):
    assert from_json(type_, None) is None
    assert from_json(type_, '') is None


@pytest.mark.parametrize(
    ('type_', 'json', 'value'),
    [
        (FieldType.STRING, 'a', 'a'),
        (FieldType.PICKLIST, 'a', 'a'),
        (FieldType.REFERENCE, SHORT, SHORT + 'IAA'),
        (FieldType.ID, SHORT + 'IAA', SHORT + 'IAA'),
        (FieldType.BOOLEAN, False, False),
        (FieldType.INT, 5, 5),
        (FieldType.DOUBLE, 5, 5.0),
        (FieldType.CURRENCY, 5.5, 5.5),
        (FieldType.DATE, '2026-03-02', date(2026, 3, 2)),
        (FieldType.DATETIME, '2026-03-02T10:00:00Z', datetime(2026, 3, 2, 10, tzinfo=UTC)),
    ],
)
def test_values_of_the_right_type_are_taken(type_, json, value):
    taken = from_json(type_, json)
    assert taken == value
    assert type(taken) is type(value)


@pytest.mark.parametrize(
    ('type_', 'json', 'token'),
    [
        (FieldType.STRING, 5, 'VALUE_NUMBER_INT value 5'),
        (FieldType.EMAIL, True, 'VALUE_TRUE value true'),
        (FieldType.STRING, ['a'], 'START_ARRAY'),
        (FieldType.BOOLEAN, 'true', 'VALUE_STRING value true'),
        (FieldType.BOOLEAN, 1, 'VALUE_NUMBER_INT value 1'),
        (FieldType.INT, 5.5, 'VALUE_NUMBER_FLOAT value 5.5'),
        (FieldType.INT, True, 'VALUE_TRUE value true'),
        (FieldType.DOUBLE, '67.0', 'VALUE_STRING value 67.0'),
        (FieldType.DOUBLE, False, 'VALUE_FALSE value false'),
        (FieldType.DATE, '2026-02-30', 'VALUE_STRING value 2026-02-30'),
        (FieldType.DATE, {}, 'START_OBJECT'),
        (FieldType.DATETIME, '2026-03-02', 'VALUE_STRING value 2026-03-02'),
    ],
)
def test_values_of_another_type_are_refused(type_, json, token):
    with pytest.raises(OrgError) as refused:
        from_json(type_, json)
    assert refused.value.code == 'JSON_PARSER_ERROR'
    assert refused.value.message.startswith(f'Cannot deserialize instance of {type_.value} from {token}')


@pytest.mark.parametrize('type_', [FieldType.INT, FieldType.DOUBLE, FieldType.CURRENCY])
@pytest.mark.parametrize('json', [10**18, -1e18, 10**400, float('inf'), float('-inf'), float('nan')])
def test_numbers_have_eighteen_digits_and_are_numbers(type_, json):
    with pytest.raises(OrgError) as refused:
        from_json(type_, json)
    assert refused.value.code == 'NUMBER_OUTSIDE_VALID_RANGE'


@pytest.mark.parametrize('json', ['nobody', 5, SHORT + 'AAA'])
def test_what_is_no_id_is_refused(json):
    with pytest.raises(OrgError) as refused:
        from_json(FieldType.REFERENCE, json)
    assert refused.value.code == 'MALFORMED_ID'


def test_times_end_in_a_zone_in_rest_and_in_z_in_events():
    moment = datetime(2016, 3, 29, 16, 40, 8, 208000, tzinfo=UTC)
    assert rest_json(moment) == '2016-03-29T16:40:08.208+0000'
    assert event_json(moment) == '2016-03-29T16:40:08.208Z'


@pytest.mark.parametrize('value', [None, 'a', True, 5, 0.2])
def test_other_values_are_themselves(value):
    assert rest_json(value) is event_json(value) is value


def test_days_are_days():
    assert rest_json(date(2026, 3, 2)) == event_json(date(2026, 3, 2)) == '2026-03-02'


def test_queries_name_types_in_their_own_words():
    assert {each: each.soap for each in FieldType if each.soap != 'string'} == {
        FieldType.ID: 'ID',
        FieldType.REFERENCE: 'ID',
        FieldType.BOOLEAN: 'boolean',
        FieldType.INT: 'int',
        FieldType.DOUBLE: 'double',
        FieldType.CURRENCY: 'double',
        FieldType.DATE: 'date',
        FieldType.DATETIME: 'dateTime',
    }
