"""The account as a part of other extensions. In running services: tests/integration/test_account.py."""

import logging
from types import SimpleNamespace

import eventlet
import eventlet.patcher
import pytest
from nameko.containers import ServiceContainer
from nameko.exceptions import ConfigurationError
from nameko.extensions import DependencyProvider, Entrypoint, iter_extensions

from nameko_salesforce import account as account_module
from nameko_salesforce.account import SalesforceAccount
from nameko_salesforce.bayeux import section
from nameko_salesforce.credentials import ClientCredentials, Token
from nameko_salesforce.errors import LoginPostponed

GOOD = {'CONSUMER_KEY': 'hidden-key', 'CONSUMER_SECRET': 'hidden-secret', 'DOMAIN': 'acme.my'}
TOKEN = Token('hidden', 'https://acme.my.salesforce.com', '00D' + '0' * 15, '005' + '0' * 15)
SOAP = {'USERNAME': 'ada@example.com', 'PASSWORD': 'hidden', 'SECURITY_TOKEN': 'hidden'}


class Streaming(Entrypoint):
    account = SalesforceAccount()


class Api(DependencyProvider):
    account = SalesforceAccount()


class Service:
    name = 'service'
    api = Api()

    @Streaming.decorator
    def method(self):
        pass


@pytest.fixture
def patched(monkeypatch):
    """The process counts as monkey-patched. Nothing here does I/O."""
    monkeypatch.setattr(eventlet.patcher, 'is_monkey_patched', lambda module: module == 'socket')


@pytest.fixture
def account(patched, monkeypatch):
    """`account(section)` -> one that is bound."""

    def make(keys=GOOD):
        config = {'SALESFORCE': keys}
        if section.nameko_config is not None:
            monkeypatch.setattr(section, 'nameko_config', config)
        account = SalesforceAccount()
        account.container = SimpleNamespace(service_name='service', config=config)
        return account

    return make


def accounts_of(container):
    parts = [part for extension in container.extensions for part in iter_extensions(extension)]
    return [part for part in parts if isinstance(part, SalesforceAccount)]


@pytest.fixture
def container():
    """A service, bound and not set up, without any configuration."""
    return ServiceContainer(Service, *([{}] if section.nameko_config is None else []))


def test_a_service_has_one_account_for_all_that_use_it(container):
    one, other = accounts_of(container)
    assert one is other


def test_nothing_is_read_before_setup_and_an_end_before_it_is_no_error(container):
    account, _ = accounts_of(container)
    assert not hasattr(account, 'settings')
    account.stop()
    account.kill()


def test_setup_gives_settings_and_tokens_without_a_login(account):
    made = account()
    made.ready()
    assert made.settings.credentials == ClientCredentials('hidden-key', 'hidden-secret')
    assert made.tokens.current is None


def test_whoever_comes_first_prepares_it_and_nobody_does_it_again(account):
    made = account()
    assert made.ready() is made
    settings, tokens = made.settings, made.tokens
    made.ready()
    made.ready()
    assert made.settings is settings
    assert made.tokens is tokens


def test_several_green_threads_at_once_prepare_it_once(account, monkeypatch):
    read = account_module.read_settings

    def slow(config):
        eventlet.sleep(0)
        return read(config)

    monkeypatch.setattr(account_module, 'read_settings', slow)
    made = account()
    threads = [eventlet.spawn(lambda: made.ready().tokens) for _ in range(10)]
    assert len({id(thread.wait()) for thread in threads}) == 1


def test_a_wrong_configuration_is_raised_to_all_and_logged_once(account, caplog):
    made = account({'CONSUMER_KEY': 'hidden-key'})
    texts = set()
    for _ in range(3):
        with pytest.raises(ConfigurationError) as caught:
            made.ready()
        texts.add(str(caught.value))
    assert len(texts) == 1
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ('CRITICAL', f'service cannot start. {texts.pop()}')
    ]
    assert 'hidden' not in caplog.text


def test_a_process_that_is_not_patched_is_told_so(account, monkeypatch, caplog):
    made = account()
    monkeypatch.setattr(eventlet.patcher, 'is_monkey_patched', lambda module: False)
    with pytest.raises(
        ConfigurationError, match=r'not monkey-patched.*`nameko run`.*eventlet\.monkey_patch\(\)'
    ):
        made.ready()
    assert [record.levelname for record in caplog.records] == ['CRITICAL']


def test_a_login_that_ends_soon_is_announced_at_the_start(account, caplog):
    made = account(SOAP)
    made.ready()
    made.ready()
    assert [record.getMessage() for record in caplog.records] == [
        'service logs in by SOAP login, which Salesforce phases out: client credentials and JWT bearer stay'
    ]


def test_an_api_version_that_ends_soon_is_announced_at_the_start(account, caplog):
    account({**GOOD, 'API_VERSION': '37.0'}).ready()
    assert [record.getMessage() for record in caplog.records] == [
        'service uses API version 37.0, which Salesforce ends in 2028: 67.0 is the default'
    ]


def test_the_others_are_not(account, caplog):
    caplog.set_level(logging.DEBUG)
    account().ready()
    assert caplog.records == []


def test_the_limit_of_the_settings_bounds_the_logins(account, monkeypatch):
    made = account({**GOOD, 'LOGINS_PER_HOUR': 2})
    logins = []
    monkeypatch.setattr(account_module, 'log_in', lambda settings: logins.append(settings) or TOKEN)
    made.ready()
    current = made.tokens.get()
    current = made.tokens.renew(current)
    with pytest.raises(LoginPostponed, match='2 logins in an hour'):
        made.tokens.renew(current)
    assert logins == [made.settings] * 2


def test_a_session_is_the_callers_own(account):
    made = account({**GOOD, 'PROXY': 'http://proxy:3128'})
    made.ready()
    one, other = made.make_session(), made.make_session()
    assert one is not other
    assert one.proxies == {'http': 'http://proxy:3128', 'https': 'http://proxy:3128'}


def test_no_repr_shows_a_secret(account):
    made = account().ready()
    assert 'hidden' not in f'{made!r} {made.settings!r} {made.tokens!r} {made.tokens.current!r}'
