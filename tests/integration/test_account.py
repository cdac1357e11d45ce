"""The account in running services: one configuration, one token, whatever version of Nameko."""

from typing import Any

import eventlet
import pytest
from nameko.exceptions import ConfigurationError
from nameko.extensions import DependencyProvider
from nameko.testing.services import dummy, entrypoint_hook
from nameko.testing.utils import get_extension

from nameko_salesforce.account import SalesforceAccount
from nameko_salesforce.errors import LoginFailed, LoginPostponed


class UserIds(DependencyProvider):
    """Gives workers a function that needs the token."""

    account = SalesforceAccount()

    def get_dependency(self, worker_ctx: Any) -> Any:
        return lambda: self.account.tokens.get().user_id


class OtherIds(UserIds):
    """A second extension of the same service."""

    def setup(self) -> None:
        # Nameko sets extensions up in any order.
        assert self.account.ready().tokens is not None


class Service:
    name = 'service'
    one = UserIds()
    other = OtherIds()

    @dummy
    def who(self) -> tuple[str, str]:
        return self.one(), self.other()


def test_all_extensions_and_workers_of_a_service_share_one_login(container_factory, fake_salesforce):
    container = container_factory(Service, {'SALESFORCE': fake_salesforce.section()})
    container.start()
    fake_salesforce.faults.add('delay', channel='login', seconds=0.2)
    with entrypoint_hook(container, 'who') as who:
        threads = [eventlet.spawn(who) for _ in range(10)]
        (ids,) = {thread.wait() for thread in threads}
    assert ids[0] == ids[1]
    assert len(fake_salesforce.journal('login')) == 1
    container.stop()


def test_two_services_have_an_account_each(container_factory, fake_salesforce):
    config = {'SALESFORCE': fake_salesforce.section()}
    accounts = []
    for _ in range(2):
        container = container_factory(Service, config)
        container.start()
        accounts.append(get_extension(container, SalesforceAccount))
        accounts[-1].tokens.get()
    assert accounts[0] is not accounts[1]
    assert len(fake_salesforce.journal('login')) == 2


def test_a_service_starts_while_salesforce_is_down_and_works_when_it_is_back(
    container_factory, fake_salesforce, log
):
    log.expect_error('error handling worker')
    fake_salesforce.faults.add('status', channel='login', status=503)
    container = container_factory(Service, {'SALESFORCE': fake_salesforce.section()})
    container.start()
    with entrypoint_hook(container, 'who') as who:
        with pytest.raises(LoginFailed, match='HTTP status: 503') as failed:
            who()
        with pytest.raises(LoginPostponed, match='HTTP status: 503'):
            who()
        # Half a second at most.
        eventlet.sleep(failed.value.retry_after)
        assert who()[0].startswith('005')


def test_a_wrong_configuration_ends_the_start_with_one_line_of_the_log(container_factory, log):
    log.expect_error('cannot start')
    container = container_factory(Service, {'SALESFORCE': {'CONSUMER_KEY': 'hidden-key', 'SANDBOX': 'no'}})
    with pytest.raises(ConfigurationError) as caught:
        container.start()
    text = str(caught.value)
    assert 'SANDBOX has to be true or false' in text
    assert 'CONSUMER_SECRET' in text
    assert 'hidden' not in text
    assert log.lines('cannot start') == [f'service cannot start. {text}']
    container.kill()
