"""The plan that makes an org's PushTopics agree with the wanted ones."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.constants import NotifyForFields
from nameko_salesforce.push_topics import DesiredTopic
from nameko_salesforce.soql import quote
from nameko_salesforce.topic_plan import (
    LOOKUP_LIMIT,
    Create,
    Keep,
    Update,
    plan,
    record_type_query,
    topic_queries,
    values_of,
)

ORDERS = DesiredTopic('Orders', 'SELECT Id, Name FROM Order__c')


def record(desired, **changes):
    return {'Id': '0IF1', **values_of(desired, '67.0'), **changes}


def test_a_missing_topic_is_created_active_with_a_version_that_is_a_number():
    assert plan(ORDERS, None, api_version='67.0') == Create(
        {
            'Name': 'Orders',
            'Query': 'SELECT Id, Name FROM Order__c',
            'ApiVersion': 67.0,
            'IsActive': True,
            'NotifyForFields': 'All',
            'NotifyForOperationCreate': True,
            'NotifyForOperationUpdate': True,
            'NotifyForOperationDelete': True,
            'NotifyForOperationUndelete': True,
        }
    )


@pytest.mark.defect('T6')
@pytest.mark.parametrize('version', [67, 67.0, '67.0', '67'])
def test_a_topic_as_it_should_be_is_kept_however_its_version_is_written(version):
    assert plan(ORDERS, record(ORDERS, ApiVersion=version), api_version='67.0') == Keep()


@pytest.mark.parametrize(
    'change',
    [
        {'Query': 'SELECT  Id, Name FROM Order__c'},
        {'ApiVersion': 66.0},
        {'ApiVersion': None},
        {'ApiVersion': 'none'},
        {'ApiVersion': 10**400},
        {'ApiVersion': float('nan')},
        {'IsActive': False},
        {'NotifyForFields': 'Referenced'},
        {'NotifyForOperationCreate': False},
        {'NotifyForOperationUndelete': None},
    ],
    ids=str,
)
def test_only_what_differs_is_changed(change):
    (name,) = change
    wanted = values_of(ORDERS, '67.0')[name]
    assert plan(ORDERS, record(ORDERS, **change), api_version='67.0') == Update('0IF1', {name: wanted})


def test_what_we_do_not_declare_is_left_alone():
    existing = record(ORDERS, Description='by hand', attributes={'type': 'PushTopic'})
    assert plan(ORDERS, existing, api_version='67.0') == Keep()


def apply(made, existing):
    """A naive org: a dict."""
    match made:
        case Create(values):
            return {'Id': '0IF2', **values}
        case Update(record_id, changes):
            assert existing['Id'] == record_id
            return {**existing, **changes}
        case Keep():
            return existing


names = st.text('abcXYZ019_ ', min_size=1, max_size=25).filter(lambda name: name == name.strip())
desired_topics = st.builds(
    DesiredTopic,
    name=names,
    query=st.text(min_size=1, max_size=60).filter(str.strip),
    notify_for_fields=st.sampled_from(NotifyForFields),
    notify_for_operation_create=st.booleans(),
    notify_for_operation_update=st.booleans(),
    notify_for_operation_delete=st.booleans(),
    notify_for_operation_undelete=st.booleans(),
)
versions = st.sampled_from(['41.0', '66.0', '67.0'])


@given(st.data())
def test_after_its_plan_an_org_agrees_and_nothing_that_agreed_was_touched(data):
    desired, version = data.draw(desired_topics), data.draw(versions)
    wanted = values_of(desired, version)
    existing = None
    if data.draw(st.booleans()):
        other = values_of(data.draw(desired_topics), data.draw(versions))
        taken = data.draw(st.sets(st.sampled_from(sorted(wanted))))
        existing = {
            'Id': '0IF1',
            **{name: (other if name in taken else wanted)[name] for name in wanted},
            'Name': desired.name,
            'IsActive': data.draw(st.booleans()),
        }

    made = plan(desired, existing, api_version=version)

    after = apply(made, existing)
    assert {name: after[name] for name in wanted} == wanted
    assert plan(desired, after, api_version=version) == Keep()
    if existing is not None:
        naive = {name: value for name, value in wanted.items() if existing[name] != value}
        assert made == (Update('0IF1', naive) if naive else Keep())


# --- look-ups ---------------------------------------------------------------------------------------


@pytest.mark.defect('T4')
def test_looked_up_names_are_escaped():
    assert record_type_query("O'Brien", 'a\\') == (
        r"SELECT Id FROM RecordType WHERE SobjectType = 'O\'Brien' AND DeveloperName = 'a\\'"
    )
    (looked_up,) = topic_queries(["x') OR (Name != '"])
    assert looked_up.endswith(r"WHERE Name IN ('x\') OR (Name != \'')")


def test_a_look_up_selects_all_that_a_plan_compares():
    (looked_up,) = topic_queries(['Orders'])
    selected = re.fullmatch(r"SELECT (.*) FROM PushTopic WHERE Name IN \('Orders'\)", looked_up)[1]
    assert set(values_of(ORDERS, '67.0')) | {'Id'} == set(selected.split(', '))


def test_as_many_topics_as_an_org_may_have_take_two_look_ups():
    wanted = [f'{number:025}' for number in range(100)]
    queries = list(topic_queries(wanted))
    assert [each.count('0' * 20) for each in queries] == [79, 21]


def test_no_topics_need_no_look_up():
    assert list(topic_queries([])) == []


@given(st.lists(st.text(min_size=1, max_size=25), max_size=300, unique=True))
def test_every_name_is_looked_up_once_by_queries_that_fit_into_a_url(wanted):
    queries = list(topic_queries(wanted))
    literals = [each.partition(' IN (')[2].removesuffix(')') for each in queries]
    assert ', '.join(literals) == ', '.join(map(quote, wanted))
    assert all(len(each.encode()) <= LOOKUP_LIMIT for each in queries)
    # Not one query more than it takes.
    together = [len((a + b).encode()) for a, b in zip(queries, queries[1:], strict=False)]
    assert all(size > LOOKUP_LIMIT - 300 for size in together)
