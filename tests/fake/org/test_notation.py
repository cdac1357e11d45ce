import pytest
from fake_salesforce.org.notation import TYPES, read_field
from fake_salesforce.org.values import FieldType


@pytest.mark.parametrize('name', sorted(set(TYPES) - {'reference'}))
def test_a_field_may_be_the_name_of_its_type(name):
    field = read_field('X__c', name)
    assert field.type is TYPES[name]
    assert field.writable
    assert not field.required


def test_a_field_may_be_a_mapping():
    field = read_field(
        'X__c',
        {'type': 'text', 'label': 'Number', 'length': 5, 'required': True, 'unique': True, 'default': 'a'},
    )
    assert (field.label, field.length, field.required, field.unique, field.default) == (
        'Number',
        5,
        True,
        True,
        'a',
    )


def test_a_reference_names_one_object_or_several():
    assert read_field('X__c', {'reference': 'Account'}).references == ('Account',)
    assert read_field('X__c', {'reference': ['Contact', 'Lead']}).references == ('Contact', 'Lead')
    assert read_field('X__c', {'reference': 'Account'}).type is FieldType.REFERENCE


def test_an_external_id_is_unique():
    field = read_field('X__c', {'type': 'text', 'external_id': True})
    assert field.external_id
    assert field.unique


def test_a_read_only_field_cannot_be_written():
    assert not read_field('X__c', {'type': 'text', 'read_only': True}).writable


def test_truth_values_begin_as_false():
    assert read_field('X__c', 'boolean').default is False
    assert read_field('X__c', {'type': 'boolean', 'default': True}).default is True
    assert read_field('X__c', 'text').default is None


def test_a_text_without_a_type_is_a_text():
    assert read_field('X__c', {'length': 5}).type is FieldType.STRING


@pytest.mark.parametrize(
    ('notation', 'problem'),
    [
        ('txt', "'txt' is not one of the types text, number, reference, "),
        (5, 'neither the name of a type nor a mapping'),
        ({'type': 'text', 'lenght': 5}, 'lenght: no such key'),
        ({'type': 'text', 'length': '5'}, "length: '5' is not allowed"),
        ({'type': 'reference'}, 'reference: missing'),
        ('reference', 'reference: missing'),
        ({'type': 'number', 'default': 'a'}, "default: 'a' is not a double"),
        ({'type': 'date', 'default': 'a'}, "default: 'a' is not a date"),
    ],
)
def test_what_is_wrong_is_said(notation, problem):
    with pytest.raises(ValueError) as refused:
        read_field('X__c', notation)
    assert str(refused.value).startswith(problem)


def test_all_problems_are_named_at_once():
    with pytest.raises(ValueError, match="nope: no such key; length: 'a' is not allowed; 'x' is not one of"):
        read_field('X__c', {'type': 'x', 'length': 'a', 'nope': 1})
