"""Whatever stands in a configuration, a seed, a query or an address: it is read, or refused in words."""

import math
import tempfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import pytest
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.seed import default_seed, load_seed, read_seed
from fake_salesforce.org.soql import parse
from hypothesis import given
from hypothesis import strategies as st
from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.settings import KEYS as BAYEUX_KEYS
from nameko_salesforce.bayeux.settings import read_settings as read_bayeux_settings
from nameko_salesforce.config import KEYS as SALESFORCE_KEYS
from nameko_salesforce.config import read_settings
from nameko_salesforce.replay.stores import open_store
from nameko_salesforce.streaming import (
    handle_change_event,
    handle_gap,
    handle_notification,
    handle_platform_event,
    handle_sobject_notification,
    subscribe,
)
from tests.fuzz.strategies import JSON, MUTATIONS, TEXTS, mutated

SECTION = {
    'LOGIN_URL': 'http://127.0.0.1:8080',
    'CONSUMER_KEY': 'key',
    'CONSUMER_SECRET': 'secret',
}
KEYS = sorted({*SALESFORCE_KEYS, *BAYEUX_KEYS})
URIS = st.one_of(
    TEXTS,
    st.text(max_size=40),
    st.builds(
        '{}://{}{}'.format,
        st.sampled_from(['redis', 'rediss', 'unix', 'sqlite', 'memory', 'http', '']),
        st.sampled_from(['', 'host', 'user:pass@host:1', '[::1]', ':p@', 'host:99999']) | TEXTS,
        st.sampled_from(['', '/', '/0', '?db=x', '?socket_timeout=nan', '/a/b?x=%00']) | TEXTS,
    ),
)
QUERY = (
    "SELECT Id, Name FROM Contact WHERE LastName = 'a' AND CreatedDate > 2020-01-01T00:00:00Z "
    'ORDER BY Id LIMIT 5'
)
SEED = """
organization: {name: Acme}
users: [{username: a@example.com, password: s, security_token: t}]
objects: {A__c: {fields: {B__c: text, C__c: {reference: Account}}}}
records: {Account: [{Name: x}]}
push_topics: [{Name: T, Query: SELECT Id FROM Account}]
"""


def problems_of(read, *refusals):
    """Read something; the refusal in words, None where it was read."""
    try:
        read()
    except refusals as problem:
        return str(problem) or pytest.fail('a refusal without a word')
    return None


def deep():
    made = []
    for _ in range(100_000):
        made = [made]
    return made


# By name: some cannot be shown.
HOSTILE = {
    'nothing': None,
    'true': True,
    'zero': 0,
    'minus one': -1,
    'no float': 10**400,
    'minus no float': -(10**400),
    'no text': 10**5000,
    'a century': 3.2e9,
    'greatest': 1e308,
    'smallest': 5e-324,
    'nan': math.nan,
    'infinite': math.inf,
    'minus infinite': -math.inf,
    'empty': '',
    'NUL': '\0',
    'NUL inside': 'a\0b',
    'surrogate': '\ud800',
    'long': 'x' * 100_000,
    'text nan': 'NaN',
    'other digits': '\u0661',
    'braces': '%s{}',
    'bytes': b'\xff',
    'list': [],
    'pair': ['a', 'b'],
    'pair with NUL': ['a', '\0'],
    'mapping': {},
    'mapping of surrogates': {'X-A': '\ud800'},
    'deep': deep(),
    'object': object(),
}


def numbers_in(value):
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [number for each in value for number in numbers_in(each)]
    return [value] if isinstance(value, int | float) else []


def check_numbers(settings):
    # The hub's poll takes milliseconds in 31 bits.
    assert all(-1 <= number < 2**31 for number in numbers_in(settings)), settings


SECTIONS = (
    ('SALESFORCE', SALESFORCE_KEYS, read_settings, SECTION),
    ('BAYEUX', BAYEUX_KEYS, read_bayeux_settings, {'SERVER_URI': 'http://127.0.0.1'}),
)


@pytest.mark.parametrize(
    ('section', 'key'), [(section, key) for section, keys, *_ in SECTIONS for key in keys]
)
def test_any_value_of_any_key_is_read_or_refused_with_its_name(section, key):
    [(read, needed)] = [(read, needed) for name, _, read, needed in SECTIONS if name == section]
    for what, value in HOSTILE.items():
        try:
            settings = read({section: {**needed, key: value}})
        except ConfigurationError as refused:
            said = str(refused)
        else:
            check_numbers(settings)
            continue
        assert key in said, what
        assert 'digits' not in said, what
        assert len(said) < 2000, what


DECORATORS = {
    'attempts': lambda value: subscribe('/event/A__e', attempts=value),
    'timeout': lambda value: subscribe('/event/A__e', timeout=value),
    'batch': lambda value: subscribe('/event/A__e', batch=value),
    'batch_wait': lambda value: subscribe('/event/A__e', batch=2, batch_wait=value),
    'order': lambda value: subscribe('/event/A__e', order=value),
    'key': lambda value: subscribe('/event/A__e', key=value),
    'on_failure': lambda value: subscribe('/event/A__e', on_failure=value),
    'start': lambda value: subscribe('/event/A__e', start=value),
    'on_gap': lambda value: subscribe('/event/A__e', on_gap=value),
    'channel': subscribe,
    'platform event': handle_platform_event,
    'entity': handle_change_event,
    'topic': handle_notification,
    'sobject_type': handle_sobject_notification,
    'record_type': lambda value: handle_sobject_notification('Contact', value),
    'name': lambda value: handle_sobject_notification('Contact', name=value),
    'fields': lambda value: handle_sobject_notification('Contact', fields=value),
    'notify_for_fields': lambda value: handle_notification('A', notify_for_fields=value),
    'attempts of a gap': lambda value: handle_gap(attempts=value),
    'timeout of a gap': lambda value: handle_gap(timeout=value),
}


def entrypoint_of(decorator):
    def method(self):
        raise NotImplementedError

    (found,) = decorator(method).nameko_entrypoints
    return found


@pytest.mark.parametrize('option', DECORATORS)
def test_any_value_of_any_option_of_a_decorator_is_taken_or_refused(option):
    def made(value):
        entrypoint = entrypoint_of(DECORATORS[option](value))
        check_numbers(getattr(entrypoint, 'handler', None))
        check_numbers(getattr(entrypoint, 'retry', None))
        getattr(entrypoint, 'make_topic', lambda: None)()

    for what, value in HOSTILE.items():
        said = problems_of(lambda value=value: made(value), LocalError, ValueError) or ''
        # A text is repeated, a developer's own.
        assert len(said) < 2000 or what == 'long'
        assert 'digits' not in said, what


@given(st.dictionaries(st.sampled_from(KEYS) | TEXTS, URIS | JSON, max_size=5), st.booleans())
def test_any_section_is_read_or_refused(section, complete):
    whole = {**(SECTION if complete else {}), **section}
    problems_of(lambda: read_settings({'SALESFORCE': whole}), ConfigurationError)
    problems_of(
        lambda: read_bayeux_settings({'BAYEUX': {'SERVER_URI': 'http://127.0.0.1', **section}}),
        ConfigurationError,
    )
    problems_of(lambda: read_settings(section), ConfigurationError)


@given(URIS)
def test_any_address_of_a_store_is_taken_or_refused(uri):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # a relative file may be meant
        section = {**SECTION, 'REPLAY_STORE_URI': uri}
        refused = problems_of(lambda: read_settings({'SALESFORCE': section}), ConfigurationError)
        if refused is None and uri.startswith(('memory:', 'redis')):
            open_store(uri, organization='00D000000000001AAA', service='fuzz').close()


@given(MUTATIONS | st.text(max_size=60))
def test_any_query_is_understood_or_refused(drawn):
    text = drawn if isinstance(drawn, str) else mutated(QUERY.encode(), drawn).decode('utf-8', 'replace')
    problems_of(lambda: parse(text), OrgError)


@given(MUTATIONS | st.text(max_size=60))
def test_any_seed_is_planted_or_refused(drawn):
    text = drawn if isinstance(drawn, str) else mutated(SEED.encode(), drawn).decode('utf-8', 'replace')
    problems_of(lambda: read_seed(load_seed(text)), ValueError)


@given(st.dictionaries(st.sampled_from(sorted(default_seed())) | TEXTS, JSON, max_size=4))
def test_any_values_in_a_seed_are_planted_or_refused(seed):
    problems_of(lambda: read_seed(seed), ValueError)


def test_a_seed_that_is_right_is_planted():
    assert problems_of(lambda: read_seed(load_seed(SEED)), ValueError) is None
    assert problems_of(lambda: parse(QUERY), OrgError) is None
