"""What a service wants of PushTopics: names, queries, declarations that can live together."""

import re
from dataclasses import replace

import pytest

from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.push_topics import OPERATIONS, DesiredTopic, SobjectTopic, collect, unheard_names

USER = '005000000000001AAA'
RECORD_TYPE = '012000000000001AAA'
ORDERS = DesiredTopic('Orders', 'SELECT Id, Name FROM Order__c')


def query(topic, *, has_name=True):
    return topic.resolve(user_id=USER, record_type_id=RECORD_TYPE, has_name=has_name).query


# --- names and queries ------------------------------------------------------------------------------


def test_a_topic_of_the_greatest_length_is_accepted():
    topic = DesiredTopic('N' * 25, 'Q' * 1300)
    assert (len(topic.name), len(topic.query)) == (25, 1300)


@pytest.mark.defect('T3')
@pytest.mark.parametrize(
    ('declare', 'words'),
    [
        (
            lambda: DesiredTopic('N' * 26, 'SELECT Id FROM A'),
            'PushTopic N{26}: .* 26 characters .* shorter name=',
        ),
        (lambda: DesiredTopic('Orders', 'Q' * 1301), 'PushTopic Orders: .* 1,301 characters .* fewer fields'),
        (
            lambda: SobjectTopic('Invoice_Statement__c', 'Student'),
            "27 characters .* choose a shorter name='...'",
        ),
        (
            lambda: SobjectTopic('Contact', fields=['F' * 40] + ['G' * 1300]),
            'PushTopic Contact: the query has',
        ),
    ],
)
def test_what_is_too_long_is_refused_when_it_is_declared(declare, words):
    with pytest.raises(ValueError, match=words):
        declare()


def test_a_name_of_its_own_is_the_way_out_for_a_long_object():
    topic = SobjectTopic('Invoice_Statement__c', 'Student', name='StudentInvoices')
    assert topic.resolve(user_id=USER, record_type_id=RECORD_TYPE, has_name=True).name == 'StudentInvoices'


@pytest.mark.parametrize('name', ['', ' ', 'a/b', 'a?b', 'a*', ' a', 'a ', 'a\nb', None, 7])
def test_a_name_that_makes_no_channel_is_refused(name):
    with pytest.raises(ValueError, match='name'):
        DesiredTopic(name, 'SELECT Id FROM A')


@pytest.mark.parametrize('text', ['', '  ', None, 7])
def test_a_query_is_a_text(text):
    with pytest.raises(ValueError, match='PushTopic Orders: the query has to be'):
        DesiredTopic('Orders', text)


def test_space_around_a_query_is_not_part_of_it_and_space_inside_is():
    assert DesiredTopic('A', '\n SELECT Id\n FROM B \n').query == 'SELECT Id\n FROM B'


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ({'sobject_type': "Contact WHERE Name = 'x'"}, 'not the API name of an object'),
        ({'sobject_type': None}, 'not the API name of an object'),
        ({'record_type': ''}, 'Contact: record_type'),
        ({'record_type': 5}, 'Contact: record_type'),
        ({'exclude_current_user': None}, 'PushTopic Contact: exclude_current_user'),
        ({'fields': 'Email'}, 'PushTopic Contact: fields has to be a list'),
        ({'fields': ['Account.Name']}, 'related objects'),
        ({'fields': [None]}, 'PushTopic Contact: fields'),
        (
            {'notify_for_fields': 'Select'},
            'PushTopic Contact: notify_for_fields has to be one of NotifyForFields.all_',
        ),
        ({'notify_for_operation_delete': 1}, 'PushTopic Contact: notify_for_operation_delete'),
    ],
)
def test_an_argument_of_the_wrong_kind_is_refused_by_name(arguments, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        SobjectTopic(**{'sobject_type': 'Contact', **arguments})


# --- queries of objects -----------------------------------------------------------------------------


def test_a_topic_is_called_by_object_and_record_type():
    assert SobjectTopic('Contact').name == 'Contact'
    assert SobjectTopic('Contact', 'Student').name == 'ContactStudent'


def test_all_fields_select_what_version_1_2_selected():
    assert query(SobjectTopic('Contact', 'Student')) == (
        'SELECT Id, Name, LastModifiedById, LastModifiedDate FROM Contact'
        f" WHERE RecordTypeId = '{RECORD_TYPE}' AND LastModifiedById != '{USER}'"
    )


def test_without_conditions_there_is_no_where():
    assert query(SobjectTopic('Contact', exclude_current_user=False)) == (
        'SELECT Id, Name, LastModifiedById, LastModifiedDate FROM Contact'
    )


@pytest.mark.defect('T5')
def test_name_is_selected_only_where_the_object_has_it():
    assert query(SobjectTopic('Case', exclude_current_user=False), has_name=False) == (
        'SELECT Id, LastModifiedById, LastModifiedDate FROM Case'
    )


@pytest.mark.parametrize(
    'which', [NotifyForFields.select, NotifyForFields.referenced, NotifyForFields.where], ids=str
)
def test_what_every_save_changes_is_not_selected_where_chosen_fields_count(which):
    topic = SobjectTopic('Contact', fields=['Email'], notify_for_fields=which)
    assert query(topic) == f"SELECT Id, Name, Email FROM Contact WHERE LastModifiedById != '{USER}'"


def test_a_field_is_selected_once_whatever_its_case():
    topic = SobjectTopic('Contact', fields=('name', 'ID', 'Email', 'EMAIL'), exclude_current_user=False)
    assert query(topic) == 'SELECT Id, Name, LastModifiedById, LastModifiedDate, Email FROM Contact'


@pytest.mark.parametrize('which', [NotifyForFields.select, NotifyForFields.referenced], ids=str)
def test_a_topic_that_could_never_notify_of_an_update_is_refused(which):
    topic = SobjectTopic('Case', notify_for_fields=which, exclude_current_user=False)
    with pytest.raises(ValueError, match=r'PushTopic Case: Case has no Name, .*fields=\[\.\.\.\]'):
        query(topic, has_name=False)
    assert query(replace(topic, fields=('Status',)), has_name=False) == 'SELECT Id, Status FROM Case'
    assert query(topic, has_name=True) == 'SELECT Id, Name FROM Case'
    with pytest.raises(ValueError, match='Case has no Name'):
        query(replace(topic, fields=('ID',)), has_name=False)


def test_without_a_condition_no_update_could_notify_with_where():
    where = NotifyForFields.where
    with pytest.raises(ValueError, match='PushTopic Contact: no update would notify with .*where'):
        SobjectTopic('Contact', notify_for_fields=where, exclude_current_user=False)
    SobjectTopic('Contact', notify_for_fields=where)
    SobjectTopic('Contact', 'Partner', notify_for_fields=where, exclude_current_user=False)


def test_a_condition_is_a_field_that_referenced_can_count():
    topic = SobjectTopic('Case', notify_for_fields=NotifyForFields.referenced)
    assert query(topic, has_name=False) == f"SELECT Id FROM Case WHERE LastModifiedById != '{USER}'"


def test_the_query_keeps_what_notifies():
    topic = SobjectTopic(
        'Contact',
        notify_for_fields=NotifyForFields.select,
        notify_for_operation_create=False,
        notify_for_operation_undelete=False,
    )
    desired = topic.resolve(user_id=USER, record_type_id='', has_name=True)
    assert desired.notify_for_fields is NotifyForFields.select
    assert [getattr(desired, each) for each in OPERATIONS] == [False, True, True, False]


# --- several declarations ---------------------------------------------------------------------------


def test_topics_stay_in_the_order_of_their_first_declaration():
    b, a = SobjectTopic('B'), SobjectTopic('A')
    assert collect([b, a, ORDERS, SobjectTopic('B'), replace(ORDERS)]) == (b, a, ORDERS)


@pytest.mark.defect('T1')
@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'fields': ('Email',)}, r"fields \(\) and \('Email',\)"),
        ({'exclude_current_user': False}, 'exclude_current_user True and False'),
        ({'notify_for_operation_update': False}, 'notify_for_operation_update True and False'),
    ],
)
def test_declarations_that_differ_are_a_conflict_that_says_in_what(changes, words):
    with pytest.raises(ValueError, match=f'PushTopic Contact is declared in two ways .{words}'):
        collect([SobjectTopic('Contact'), SobjectTopic('Contact', **changes)])


@pytest.mark.defect('T3')
def test_a_topic_with_the_name_of_an_object_and_record_type_is_a_conflict_that_names_both():
    student = SobjectTopic('Contact', 'Student')
    with pytest.raises(
        ValueError,
        match=r"ContactStudent .*\(for Contact of record type Student, and by the query 'SELECT Id FROM A'",
    ):
        collect([student, DesiredTopic('ContactStudent', 'SELECT Id FROM A')])
    with pytest.raises(ValueError, match='record_type'):
        collect([student, SobjectTopic('ContactStudent')])


def test_names_that_differ_in_case_alone_are_one_name():
    with pytest.raises(ValueError, match='PushTopic Orders'):
        collect([ORDERS, replace(ORDERS, name='orders')])


def test_all_conflicts_are_told_at_once():
    with pytest.raises(ValueError, match='Orders.*; .*Contact'):
        collect([ORDERS, SobjectTopic('Contact'), replace(ORDERS, query='Q'), DesiredTopic('Contact', 'Q')])


@pytest.mark.parametrize(
    ('query', 'notify_for_fields', 'unheard'),
    [
        ('SELECT Id, FirstName, LastName FROM Contact', NotifyForFields.select, True),
        ("select Id,\n lastname from lead where Company = 'X'", NotifyForFields.referenced, True),
        ("SELECT Id, Email FROM Contact WHERE LastName = 'X'", NotifyForFields.where, True),
        ('SELECT Id, Name, FirstName, LastName FROM Contact', NotifyForFields.select, False),
        ('SELECT Id, FirstName FROM Contact WHERE Name != null', NotifyForFields.select, True),
        ("SELECT Id, Email FROM Contact WHERE Title = 'LastName'", NotifyForFields.referenced, False),
        ("SELECT Id, FirstName FROM Contact WHERE Title = 'it\\'s name'", NotifyForFields.referenced, True),
        ("SELECT Id, Name FROM Contact WHERE LastName = 'X'", NotifyForFields.where, True),
        ("SELECT Id, Name FROM Contact WHERE LastName = 'X'", NotifyForFields.referenced, False),
        ('SELECT Id, FirstName, LastName FROM Contact', NotifyForFields.all_, False),
        ('SELECT Id, Email FROM Contact', NotifyForFields.select, False),
        ('SELECT Id, LastName FROM Passenger__c', NotifyForFields.select, False),
    ],
)
def test_parts_of_a_name_go_unheard_without_the_name(query, notify_for_fields, unheard):
    assert unheard_names(DesiredTopic('Names', query, notify_for_fields=notify_for_fields)) is unheard


def test_the_topic_of_an_object_selects_the_name():
    topic = SobjectTopic('Contact', fields=['FirstName'], notify_for_fields=NotifyForFields.select)
    assert unheard_names(topic) is False
