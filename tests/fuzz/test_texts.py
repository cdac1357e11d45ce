"""Whatever stands in a configuration, a seed, a query or an address: it is read, or refused in words."""

import tempfile

import pytest
from fake_salesforce.org.errors import OrgError
from fake_salesforce.org.seed import default_seed, load_seed, read_seed
from fake_salesforce.org.soql import parse
from hypothesis import given
from hypothesis import strategies as st
from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.settings import read_settings as read_bayeux_settings
from nameko_salesforce.config import read_settings
from nameko_salesforce.replay.stores import open_store
from tests.fuzz.strategies import JSON, MUTATIONS, TEXTS, mutated

SECTION = {
    'LOGIN_URL': 'http://127.0.0.1:8080',
    'CONSUMER_KEY': 'key',
    'CONSUMER_SECRET': 'secret',
}
KEYS = [
    'API_VERSION',
    'BACKOFF_CAP',
    'BACKOFF_FIRST',
    'CA_BUNDLE',
    'CLIENT_CERTIFICATE',
    'CONNECT_TIMEOUT',
    'CONSUMER_KEY',
    'CONSUMER_SECRET',
    'DEAD_LETTER_LIMIT',
    'DISCONNECT_TIMEOUT',
    'DOMAIN',
    'EVENT_WORKERS',
    'FAIL_FAST',
    'HANDSHAKE_DISTANCE',
    'INSTANCE_URL',
    'LOGINS_PER_HOUR',
    'LOGIN_URL',
    'MAILBOX_LIMIT',
    'NETWORK_ALLOWANCE',
    'PASSWORD',
    'POOL_SIZE',
    'PRIVATE_KEY',
    'PRIVATE_KEY_FILE',
    'PROXY',
    'PUSHTOPIC_REPLAY_ENABLED',
    'PUSHTOPIC_REPLAY_REDIS_URI',
    'PUSHTOPIC_REPLAY_TTL',
    'REPLAY_STORE_URI',
    'REQUEST_TIMEOUT',
    'SECURITY_TOKEN',
    'SERVER_URI',
    'TOKEN_PROVIDER',
    'USERNAME',
    'HEADERS',
    'VERSION',
]
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
