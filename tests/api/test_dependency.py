"""What the dependency gives, and when. Real containers are in tests/integration/test_salesforce_api.py."""

import pytest
from nameko.containers import ServiceContainer
from nameko.exceptions import ConfigurationError
from nameko.testing.utils import get_extension
from simple_salesforce.api import Salesforce

from nameko_salesforce.account import SalesforceAccount
from nameko_salesforce.api import SalesforceAPI


class Service:
    name = 'contacts'

    salesforce = SalesforceAPI()


@pytest.fixture
def provider(fake_salesforce):
    """`provider(**section)` -> the dependency of a container that is not started."""
    made = []

    def make(**section):
        container = ServiceContainer(Service, {'SALESFORCE': fake_salesforce.section(**section)})
        made.append(get_extension(container, SalesforceAPI))
        # Of weak references alone Nameko's extensions are made: the test has to hold the container.
        made[-1].held = container
        return made[-1]

    yield make
    for each in made:
        each.kill()


def test_a_worker_gets_a_client_and_nobody_has_been_asked_for_it(fake_salesforce, provider):
    dependency = provider()
    dependency.setup()
    assert isinstance(dependency.get_dependency(None), Salesforce)
    assert fake_salesforce.journal('login') == []
    assert fake_salesforce.journal('rest') == []


def test_a_client_is_given_while_salesforce_is_down(provider):
    dependency = provider(LOGIN_URL='http://127.0.0.1:1')
    dependency.setup()
    assert dependency.get_dependency(None).sf_version == '67.0'


@pytest.mark.defect('R3')
def test_workers_have_clients_of_their_own_on_one_session_and_one_login(fake_salesforce, provider):
    dependency = provider(API_VERSION='60.0')
    dependency.setup()
    one, two = (dependency.get_dependency(None) for _ in range(2))
    assert one is not two
    assert one.session is two.session
    one.headers['Sforce-Query-Options'] = 'batchSize=200'
    assert 'Sforce-Query-Options' not in two.headers
    one.limits()
    two.limits()
    assert len(fake_salesforce.journal('login')) == 1
    assert {entry.detail['path'] for entry in fake_salesforce.journal('rest')} == {
        '/services/data/v60.0/limits/'
    }


def test_the_limits_are_those_of_the_configuration(provider):
    dependency = provider(POOL_SIZE=3, REQUEST_TIMEOUT=7, CONNECT_TIMEOUT=2)
    dependency.setup()
    session = dependency.get_dependency(None).session
    assert (session.pool_size, session.request_timeout, session.connect_timeout) == (3, 7.0, 2.0)


def test_the_account_is_that_of_the_service(provider):
    dependency = provider()
    dependency.setup()
    account = get_extension(dependency.held, SalesforceAccount)
    assert dependency.account is account
    assert dependency.get_dependency(None).session.tokens is account.tokens


@pytest.mark.defect('R6')
def test_a_wrong_configuration_is_told_when_the_service_starts(provider):
    with pytest.raises(ConfigurationError, match='POOL_SIZE has to be a whole number'):
        provider(POOL_SIZE=0).setup()


@pytest.mark.defect('R5')
@pytest.mark.parametrize('end', ['stop', 'kill'])
def test_the_end_closes_what_is_open_any_number_of_times_and_before_the_start(provider, end):
    dependency = provider()
    getattr(dependency, end)()
    dependency.setup()
    client = dependency.get_dependency(None)
    client.limits()
    getattr(dependency, end)()
    getattr(dependency, end)()
    pools = client.session.get_adapter('http://x').poolmanager.pools
    assert len(pools) == 0


def test_a_worker_after_the_stop_still_gets_a_client(provider):
    dependency = provider()
    dependency.setup()
    dependency.stop()
    assert dependency.get_dependency(None).limits()


def test_an_end_never_raises(provider, caplog):
    dependency = provider()
    dependency.setup()

    def fail():
        raise OSError('closing failed')

    dependency.get_dependency(None).session.close = fail
    dependency.stop()
    dependency.kill()
    assert 'the REST session of contacts was not closed in order' in caplog.messages
