import pytest
from fake_salesforce.org import OrgError
from fake_salesforce.org.push_topics import check_active, operations_of, read_topic
from fake_salesforce.org.standard import custom_object, standard_schema

SCHEMA = standard_schema()
SCHEMA.put(custom_object('Box__c', 'Box', 'a00', [], with_name=True))
FLAGS = ('Create', 'Update', 'Delete', 'Undelete')


def row(query, **values):
    flags = {f'NotifyForOperation{each}': True for each in FLAGS}
    return {
        'Name': 'Watch',
        'Query': query,
        'ApiVersion': 67.0,
        'IsActive': True,
        'IsDeleted': False,
        'NotifyForFields': 'Referenced',
        **flags,
        **values,
    }


def topic(query, **values):
    return read_topic(row(query, **values), SCHEMA)


def refusal(query, **values):
    with pytest.raises(OrgError) as refused:
        topic(query, **values)
    assert (refused.value.status, refused.value.code) == (400, 'INVALID_FIELD')
    return refused.value


def test_a_topic_knows_what_it_watches():
    found = topic(
        'select ID, name, Account.c.lastmodifieddate from Account'.replace('Account.c.', '')
        + " where Name = 'x'"
    )
    assert (found.name, found.channel, found.active) == ('Watch', '/topic/Watch', True)
    assert found.sobject.name == 'Account'
    assert found.fields == ('Id', 'Name', 'LastModifiedDate')
    assert found.where_fields == {'Name'}
    assert found.operations == {'created', 'updated', 'deleted', 'undeleted'}


@pytest.mark.parametrize(
    ('notify', 'watched'),
    [
        ('All', None),
        ('Referenced', {'Id', 'Name', 'Phone'}),
        ('Select', {'Id', 'Name'}),
        ('Where', {'Phone'}),
    ],
)
def test_notify_for_fields_says_which_changes_count(notify, watched):
    query = "SELECT Id, Name FROM Account WHERE Phone = '1' OR Phone = '2'"
    assert topic(query, NotifyForFields=notify).watched == watched


def test_flags_say_which_operations_notify():
    assert topic('SELECT Id, Name FROM Account', NotifyForOperationUpdate=False).operations == {
        'created',
        'deleted',
        'undeleted',
    }


@pytest.mark.parametrize('change', [{'IsActive': False}, {'IsDeleted': True}])
def test_a_topic_may_be_inactive(change):
    assert not topic('SELECT Id, Name FROM Account', **change).active


@pytest.mark.parametrize(
    ('query', 'text'),
    [
        # Documented, word by word.
        (
            "SELECT Id, Name FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Title = 'CEO')",
            'semi/anti join sub-selects are not supported',
        ),
        (
            'SELECT Id, Name FROM Account WHERE Id NOT IN (SELECT AccountId FROM Contact)',
            'semi/anti join sub-selects are not supported',
        ),
        ('SELECT Id, AVG(AnnualRevenue) FROM Account', 'Aggregate queries are not supported'),
        ('SELECT Id, Industry, Count(Name) FROM Account', 'Aggregate queries are not supported'),
        ('SELECT COUNT() FROM Account', 'Aggregate queries are not supported'),
        ('SELECT Id, AccountId FROM Contact GROUP BY AccountId', 'Aggregate queries are not supported'),
        ('SELECT Id, Name FROM Contact LIMIT 10', "'LIMIT' is not allowed"),
        ('SELECT Id, Account.Name FROM Contact', 'relationships are not supported'),
        ("SELECT Id, Name FROM Contact WHERE Account.Name = 'x'", 'relationships are not supported'),
        ('SELECT Id, (SELECT Id FROM Contacts) FROM Account', 'relationships are not supported'),
        ('SELECT Id, Name FROM Account ORDER BY Name', "'ORDER BY' clause is not allowed"),
        ("SELECT Id FROM Account WHERE NOT Name = 'Salesforce.com'", "'NOT' is not supported"),
        (
            "SELECT Id FROM Account WHERE Phone = '1' AND (NOT Name = 'x' OR Name = 'y')",
            "'NOT' is not supported",
        ),
        ("SELECT Id, Name FROM Account WHERE Phone = '1' OFFSET 10", "'OFFSET' clause is not allowed"),
        ('SELECT Id, TYPEOF What WHEN Account THEN Phone END FROM Task', "'TYPEOF' clause is not allowed"),
    ],
)
def test_queries_of_topics_are_refused_in_documented_words(query, text):
    error = refusal(query)
    assert (error.message, error.fields) == (text, ('Query',))


def test_not_in_is_fine():
    assert topic("SELECT Id FROM Account WHERE Name NOT IN ('x')").where_fields == {'Name'}


def test_an_alias_is_no_relationship():
    assert topic("SELECT a.Id, a.Name FROM Account a WHERE a.Name = 'x'").fields == ('Id', 'Name')


@pytest.mark.parametrize(
    ('query', 'text'),
    [
        ('SELECT Id FORM Account', "unexpected token: 'FORM'"),
        ('SELECT Id, Nope FROM Account', "No such column 'Nope' on entity 'Account'"),
        ('SELECT Id FROM Nope', "sObject type 'Nope' is not supported"),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "field 'Description' can not be filtered in a query call",
        ),
        ('SELECT Id FROM Account WHERE Name = 5', 'must be of type string'),
        ('SELECT Name FROM Account', 'must select Id'),
        ('SELECT Id, Name FROM User', 'not supported for User'),
        ('SELECT Id, Name FROM PushTopic', 'not supported for PushTopic'),
    ],
)
def test_whatever_is_wrong_with_a_query_is_an_invalid_field(query, text):
    error = refusal(query)
    assert text in error.message
    assert error.fields == ('Query',)


@pytest.mark.parametrize(
    'name', ['Account', 'Campaign', 'Case', 'Contact', 'Lead', 'Opportunity', 'Task', 'Box__c']
)
def test_these_objects_can_be_watched(name):
    assert topic(f'SELECT Id, CreatedDate FROM {name}').sobject.name == name


def test_referenced_needs_another_field_than_the_id():
    assert refusal('SELECT Id FROM Account').fields == ('Query',)
    assert refusal("SELECT Id FROM Account WHERE Id = '001000000000000AAA'")
    assert topic("SELECT Id FROM Account WHERE Name = 'x'").watched == {'Id', 'Name'}
    assert topic('SELECT Id FROM Account', NotifyForFields='All').watched is None


@pytest.mark.parametrize('version', [20.0, 0.0])
def test_the_api_version_is_above_20(version):
    assert refusal('SELECT Id, Name FROM Account', ApiVersion=version).fields == ('ApiVersion',)
    topic('SELECT Id, Name FROM Account', ApiVersion=20.5)


@pytest.mark.parametrize(
    ('create', 'update', 'value'),
    [(True, True, 'All'), (True, False, 'Create'), (False, True, 'Update'), (False, False, 'Extended')],
)
def test_operations_in_the_old_words(create, update, value):
    flags = {'NotifyForOperationCreate': create, 'NotifyForOperationUpdate': update}
    assert operations_of(row('', **flags)) == value


def test_there_are_so_many_active_topics():
    check_active(39, 40)
    with pytest.raises(OrgError) as refused:
        check_active(40, 40)
    assert refused.value.code == 'LIMIT_EXCEEDED'
