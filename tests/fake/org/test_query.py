import pytest
from fake_salesforce.org import OrgError


@pytest.fixture
def people(world):
    account = world.create('Account', Name='Acme')
    parent = world.create('Account', Name='Holding')
    world.update('Account', account, ParentId=parent)
    world.create('Contact', LastName='Byron', FirstName='Ada', AccountId=account, Email='b@example.com')
    world.now += 60
    world.create('Contact', LastName='adams')
    world.create('Contact', LastName='Curie', AccountId=parent, Email='c@example.com')
    return world


def test_records_come_with_type_address_and_the_selected_fields(people):
    (row,) = people.query("select id, lastname from contact where LastName = 'byron'", api_version='66.0')
    record_id = row['Id']
    assert row == {
        'attributes': {'type': 'Contact', 'url': f'/services/data/v66.0/sobjects/Contact/{record_id}'},
        'Id': record_id,
        'LastName': 'Byron',
    }
    assert list(row) == ['attributes', 'Id', 'LastName']


def test_related_fields_are_in_objects_of_their_own(people):
    (row,) = people.query(
        "SELECT Account.Name, Account.Parent.Name, Account.Id FROM Contact WHERE FirstName = 'Ada'"
    )
    account = row['Account']
    assert account['attributes']['type'] == 'Account'
    assert account['attributes']['url'].endswith(account['Id'])
    assert (account['Name'], account['Parent']['Name']) == ('Acme', 'Holding')


def test_what_leads_nowhere_is_null(people):
    (row,) = people.query("SELECT Account.Name, Account.Parent.Name FROM Contact WHERE LastName = 'Adams'")
    assert row['Account'] is None
    (row,) = people.query("SELECT Account.Parent.Name FROM Contact WHERE LastName = 'Curie'")
    assert row['Account']['Parent'] is None


def test_related_fields_may_be_in_conditions(people):
    assert people.values("SELECT LastName FROM Contact WHERE Account.Parent.Name = 'holding'") == ['Byron']
    assert people.values('SELECT LastName FROM Contact WHERE Account.Name = null') == ['adams']


def test_without_an_order_the_oldest_is_first(people):
    assert people.values('SELECT LastName FROM Contact') == ['Byron', 'adams', 'Curie']


@pytest.mark.parametrize(
    ('order', 'names'),
    [
        ('LastName', ['adams', 'Byron', 'Curie']),
        ('LastName DESC', ['Curie', 'Byron', 'adams']),
        ('Email', ['adams', 'Byron', 'Curie']),
        ('Email NULLS LAST', ['Byron', 'Curie', 'adams']),
        ('Email DESC NULLS LAST', ['Curie', 'Byron', 'adams']),
        ('CreatedDate DESC, LastName', ['adams', 'Curie', 'Byron']),
        ('Account.Name DESC', ['adams', 'Curie', 'Byron']),
    ],
)
def test_order(people, order, names):
    assert people.values(f'SELECT LastName FROM Contact ORDER BY {order}') == names


@pytest.mark.parametrize(
    ('clause', 'names'),
    [
        ('LIMIT 2', ['Byron', 'adams']),
        ('LIMIT 0', []),
        ('OFFSET 2', ['Curie']),
        ('LIMIT 1 OFFSET 1', ['adams']),
        ('OFFSET 10', []),
    ],
)
def test_limit_and_offset(people, clause, names):
    assert people.values(f'SELECT LastName FROM Contact {clause}') == names


def test_there_is_a_largest_offset(people):
    assert people.values('SELECT Id FROM Contact OFFSET 2000') == []
    with pytest.raises(OrgError) as refused:
        people.query('SELECT Id FROM Contact OFFSET 2001')
    assert refused.value.code == 'NUMBER_OUTSIDE_VALID_RANGE'


def test_counting_gives_a_number_and_no_records(people):
    found = people.query('SELECT COUNT() FROM Contact')
    assert (found, found.total) == ([], 3)
    assert people.query('SELECT COUNT() FROM Contact LIMIT 2').total == 2
    assert people.query('SELECT Id FROM Contact').total == 3


def test_deleted_records_are_found_on_request(people):
    (record_id,) = people.values("SELECT Id FROM Contact WHERE LastName = 'Curie'")
    people.delete('Contact', record_id)
    assert people.values('SELECT LastName FROM Contact') == ['Byron', 'adams']
    assert len(people.query('SELECT Id FROM Contact', all_rows=True)) == 3
    (row,) = people.query('SELECT LastName FROM Contact WHERE IsDeleted = true', all_rows=True)
    assert row['LastName'] == 'Curie'


def test_dates_count_from_now(people):
    assert len(people.query('SELECT Id FROM Contact WHERE CreatedDate = TODAY')) == 3
    people.now += 86_400
    assert people.query('SELECT Id FROM Contact WHERE CreatedDate = TODAY') == []
    assert len(people.query('SELECT Id FROM Contact WHERE CreatedDate = YESTERDAY')) == 3


def test_moments_are_shown_as_rest_shows_them(people):
    assert people.values("SELECT CreatedDate FROM Contact WHERE LastName = 'Byron'") == [
        '2026-03-02T12:00:00.000+0000'
    ]


def test_what_the_fake_does_not_run_says_so(people):
    with pytest.raises(OrgError) as refused:
        people.query('SELECT MAX(CreatedDate) FROM Contact')
    assert (refused.value.code, refused.value.message) == (
        'MALFORMED_QUERY',
        'The fake org does not run aggregate functions and GROUP BY',
    )
