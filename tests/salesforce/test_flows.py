"""Which way to log in is meant, and what is said where none is."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.flows import FLOW_KEYS, Flow, NoFlow, choose_flow

EXAMPLES = {
    Flow.SOAP: [
        ['USERNAME', 'PASSWORD', 'SECURITY_TOKEN'],
        ['USERNAME', 'PASSWORD', 'SECURITY_TOKEN', 'DOMAIN'],
    ],
    Flow.PASSWORD: [
        ['USERNAME', 'PASSWORD', 'CONSUMER_KEY', 'CONSUMER_SECRET'],
        ['USERNAME', 'PASSWORD', 'SECURITY_TOKEN', 'CONSUMER_KEY', 'CONSUMER_SECRET', 'DOMAIN'],
    ],
    Flow.CLIENT_CREDENTIALS: [
        ['CONSUMER_KEY', 'CONSUMER_SECRET', 'DOMAIN'],
        ['CONSUMER_KEY', 'CONSUMER_SECRET', 'LOGIN_URL'],
        ['CONSUMER_KEY', 'CONSUMER_SECRET', 'DOMAIN', 'LOGIN_URL'],
    ],
    Flow.JWT_BEARER: [
        ['CONSUMER_KEY', 'USERNAME', 'PRIVATE_KEY'],
        ['CONSUMER_KEY', 'USERNAME', 'PRIVATE_KEY_FILE', 'DOMAIN'],
    ],
    Flow.OWN_TOKEN: [
        ['ACCESS_TOKEN', 'INSTANCE_URL'],
        ['ACCESS_TOKEN', 'LOGIN_URL'],
        ['ACCESS_TOKEN', 'INSTANCE_URL', 'LOGIN_URL'],
    ],
    Flow.TOKEN_PROVIDER: [['TOKEN_PROVIDER'], ['TOKEN_PROVIDER', 'LOGIN_URL']],
}


def complaint(*given):
    with pytest.raises(NoFlow) as caught:
        choose_flow(given)
    return str(caught.value)


@pytest.mark.parametrize(
    ('flow', 'given'), [(flow, keys) for flow, examples in EXAMPLES.items() for keys in examples]
)
def test_the_keys_of_a_flow_choose_it(flow, given):
    assert choose_flow([*given, 'SANDBOX', 'API_VERSION', 'PROXY']) is flow


def test_every_flow_has_an_example():
    assert set(EXAMPLES) == set(Flow)


@pytest.mark.parametrize('given', [[], ['SANDBOX'], ['LOGIN_URL'], ['DOMAIN', 'LOGIN_URL']])
def test_without_keys_all_ways_are_named_those_to_be_preferred_first(given):
    assert complaint(*given) == (
        'the keys of a way to log in are missing: '
        'CONSUMER_KEY, CONSUMER_SECRET and DOMAIN or LOGIN_URL for client credentials; '
        'CONSUMER_KEY, USERNAME and PRIVATE_KEY or PRIVATE_KEY_FILE for JWT bearer; '
        'ACCESS_TOKEN and INSTANCE_URL or LOGIN_URL for a token of your own; '
        'TOKEN_PROVIDER for a token provider; '
        'USERNAME, PASSWORD and SECURITY_TOKEN for SOAP login; or '
        'USERNAME, PASSWORD, CONSUMER_KEY and CONSUMER_SECRET for OAuth username-password'
    )


@pytest.mark.defect('R6')
def test_half_of_a_flow_says_which_key_is_missing_for_which_flow():
    assert complaint('USERNAME', 'PASSWORD') == (
        'PASSWORD and USERNAME alone: no way to log in, missing SECURITY_TOKEN for SOAP login; or '
        'CONSUMER_KEY and CONSUMER_SECRET for OAuth username-password'
    )


def test_client_credentials_without_a_domain_are_told_of_it_first():
    said = complaint('CONSUMER_KEY', 'CONSUMER_SECRET')
    assert 'missing DOMAIN or LOGIN_URL for client credentials; or' in said


def test_keys_that_nobody_removed_are_named():
    assert complaint('USERNAME', 'PASSWORD', 'SECURITY_TOKEN', 'TOKEN_PROVIDER') == (
        'PASSWORD, SECURITY_TOKEN, TOKEN_PROVIDER and USERNAME belong to more than one way to log in: '
        'remove PASSWORD, SECURITY_TOKEN and USERNAME for a token provider; or '
        'remove TOKEN_PROVIDER for SOAP login'
    )


def test_a_domain_is_of_no_use_with_a_token_of_ones_own():
    assert 'remove DOMAIN for a token of your own' in complaint('ACCESS_TOKEN', 'INSTANCE_URL', 'DOMAIN')


def test_two_private_keys_are_one_too_many():
    said = complaint('CONSUMER_KEY', 'USERNAME', 'PRIVATE_KEY', 'PRIVATE_KEY_FILE')
    assert said.endswith('remove PRIVATE_KEY or PRIVATE_KEY_FILE for JWT bearer')


def test_halves_of_two_flows_say_what_to_add_and_what_to_remove():
    said = complaint('ACCESS_TOKEN', 'PASSWORD')
    assert 'are no way to log in together' in said
    assert 'add INSTANCE_URL or LOGIN_URL and remove PASSWORD for a token of your own' in said
    assert 'add USERNAME and SECURITY_TOKEN and remove ACCESS_TOKEN for SOAP login' in said


def test_any_subset_of_the_keys_means_one_flow_or_names_every_key_and_a_way_out():
    keys = sorted(FLOW_KEYS)
    subsets = [subset for size in range(len(keys) + 1) for subset in combinations(keys, size)]
    chosen = {}
    for subset in subsets:
        try:
            chosen[subset] = choose_flow(subset)
        except NoFlow as no_flow:
            said = str(no_flow)
            assert all(key in said for key in set(subset) - {'LOGIN_URL', 'DOMAIN'}), (subset, said)
            assert any(flow.value.words in said for flow in Flow), (subset, said)
        else:
            # Nothing that was given is left unused, but for an address in the shadow of LOGIN_URL.
            assert set(subset) - {'LOGIN_URL'} <= chosen[subset].value.used, subset
    assert set(chosen.values()) == set(Flow)
    assert len(chosen) < len(subsets) / 50


@given(st.sets(st.sampled_from(sorted(FLOW_KEYS))), st.randoms())
def test_the_order_of_the_keys_does_not_matter(given, random):
    shuffled = sorted(given)
    random.shuffle(shuffled)

    def outcome(keys):
        try:
            return choose_flow(keys)
        except NoFlow as no_flow:
            return str(no_flow)

    assert outcome(shuffled) == outcome(sorted(given))
