"""An org with its logins and APIs, and what streaming asks it."""

from datetime import UTC, datetime
from random import Random

import pytest
from fake_salesforce.identity import AuthProblem
from fake_salesforce.settings import SALESFORCE
from fake_salesforce.tenant import Tenant


def test_a_token_of_the_login_side_is_known_to_streaming(tenant_world):
    token = tenant_world.token()
    ada = tenant_world.org.users.by_username('ada@example.com').id
    assert tenant_world.tenant.user_of(f'OAuth {token}', tenant_world.now) == ada
    tenant_world.identity.revoke()
    assert tenant_world.tenant.user_of(f'OAuth {token}', tenant_world.now) is AuthProblem.SESSION
    assert not isinstance(AuthProblem.SESSION, str), 'what is no text is nobody'


def test_channels_are_those_of_the_org(tenant_world):
    assert tenant_world.tenant.topic_problem('/topic/InvoiceStatementUpdates', ('Status__c',)) is None
    assert tenant_world.tenant.topic_problem('/topic/Nothing', ()) is not None


def test_time_counts_from_the_epoch(tenant_world):
    assert tenant_world.tenant.wire_time(61.5) == '2026-11-25T00:01:01.500+0000'
    assert tenant_world.tenant.epoch_ms(1.5) == 1_795_564_801_500


def test_a_wrong_seed_is_refused_with_all_its_problems():
    with pytest.raises(ValueError, match='colour') as refused:
        Tenant(
            {'colour': 'red', 'users': [{}]},
            random=Random(1),
            epoch=datetime(2026, 1, 1, tzinfo=UTC),
            publish=lambda channel, data, now: None,
            settings=lambda: SALESFORCE,
        )
    assert 'username' in str(refused.value)
