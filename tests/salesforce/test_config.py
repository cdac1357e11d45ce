"""Section SALESFORCE: every key, every problem at once, no secret anywhere."""

import re
import sys
import types
from dataclasses import fields

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.section import CLIENT_KEYS
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.config import KEYS, ReplaySettings, SalesforceSettings, read_settings
from nameko_salesforce.constants import DEFAULT_API_VERSION
from nameko_salesforce.credentials import (
    ClientCredentials,
    JwtBearer,
    OwnToken,
    PasswordLogin,
    ProvidedToken,
    SoapLogin,
)
from nameko_salesforce.flows import FLOW_KEYS, NoFlow, choose_flow
from tests.services.hunt import shown_by

PEM = (
    rsa.generate_private_key(65_537, 2048)
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    .decode()
)
SOAP = {'USERNAME': 'ada@example.com', 'PASSWORD': 'hidden-password', 'SECURITY_TOKEN': 'hidden-token'}
APP = {'CONSUMER_KEY': 'hidden-key', 'CONSUMER_SECRET': 'hidden-secret'}
CLIENT = {**APP, 'DOMAIN': 'acme.my'}
JWT = {'CONSUMER_KEY': 'hidden-key', 'USERNAME': 'ada@example.com', 'PRIVATE_KEY': PEM}
TOKEN = {'ACCESS_TOKEN': 'hidden-access', 'INSTANCE_URL': 'https://acme.my.salesforce.com/'}


def read(section=CLIENT, /, **keys):
    return read_settings({'SALESFORCE': {**section, **keys}})


def complaint(section=CLIENT, /, **keys):
    with pytest.raises(ConfigurationError) as caught:
        read(section, **keys)
    return str(caught.value)


def provide():
    return 'hidden', 'https://acme.my.salesforce.com'


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / 'key.pem'
    path.write_text(PEM)
    return path


@pytest.fixture(autouse=True)
def module_of_the_user(monkeypatch):
    module = types.ModuleType('module_of_the_user')
    module.provide = provide
    module.number = 7
    monkeypatch.setitem(sys.modules, 'module_of_the_user', module)


# --- flows -------------------------------------------------------------------------------------------


def test_soap_is_what_services_of_1_2_have():
    settings = read({**SOAP, 'SANDBOX': False})
    assert settings.credentials == SoapLogin('ada@example.com', 'hidden-password', 'hidden-token')
    assert settings.login_url == 'https://login.salesforce.com'
    assert settings.instance_url is None


def test_a_user_in_a_trusted_network_has_an_empty_security_token():
    assert read(SOAP, SECURITY_TOKEN='').credentials == SoapLogin('ada@example.com', 'hidden-password', '')


def test_password_flow():
    assert read({**SOAP, **APP}).credentials == PasswordLogin(
        'ada@example.com', 'hidden-password', 'hidden-key', 'hidden-secret', 'hidden-token'
    )


def test_client_credentials():
    settings = read()
    assert settings.credentials == ClientCredentials('hidden-key', 'hidden-secret')
    assert settings.login_url == 'https://acme.my.salesforce.com'


def test_jwt_bearer_with_a_key():
    assert read(JWT).credentials == JwtBearer('hidden-key', 'ada@example.com', private_key=PEM)


def test_jwt_bearer_with_a_file(key_file):
    section = {**JWT, 'PRIVATE_KEY_FILE': str(key_file)}
    del section['PRIVATE_KEY']
    assert read(section).credentials == JwtBearer(
        'hidden-key', 'ada@example.com', private_key_file=str(key_file)
    )


def test_a_token_of_ones_own():
    assert read(TOKEN).credentials == OwnToken('hidden-access', 'https://acme.my.salesforce.com')


def test_a_function_that_gives_tokens():
    for path in ('module_of_the_user.provide', 'module_of_the_user:provide'):
        assert read({'TOKEN_PROVIDER': path}).credentials == ProvidedToken(path, provide)


FLOW_VALUES = {
    **SOAP,
    **CLIENT,
    **JWT,
    **TOKEN,
    'PRIVATE_KEY_FILE': __file__,  # a file, and no key
    'TOKEN_PROVIDER': 'module_of_the_user.provide',
    'LOGIN_URL': 'http://127.0.0.1:8080',
}


def _means_a_flow(given):
    try:
        choose_flow(given)
    except NoFlow:
        return False
    return True


@settings(max_examples=200, deadline=None)
@example(given={'USERNAME', 'CONSUMER_KEY', 'PRIVATE_KEY_FILE', 'DOMAIN'})
@given(given=st.sets(st.sampled_from(sorted(FLOW_KEYS))))
def test_any_keys_give_settings_or_an_error_that_names_every_one_of_them(given):
    """Enumerated without values in test_flows.py; here the way from the section."""
    try:
        settings = read({key: FLOW_VALUES[key] for key in given})
    except ConfigurationError as problem:
        said = str(problem)
        if _means_a_flow(given):
            # Only what is wrong with a value: the file, or a DOMAIN that the flow does not know.
            return
    else:
        said = repr(settings) + ''.join(given)
    assert all(key in said for key in given - {'LOGIN_URL', 'DOMAIN'})
    assert 'hidden' not in said
    assert 'BEGIN' not in said


# --- where -------------------------------------------------------------------------------------------


@pytest.mark.defect('R6')
@pytest.mark.parametrize(
    ('section', 'login_url', 'sandbox'),
    [
        ({}, 'https://login.salesforce.com', False),
        ({'SANDBOX': True}, 'https://test.salesforce.com', True),
        ({'DOMAIN': 'acme.my'}, 'https://acme.my.salesforce.com', False),
        ({'DOMAIN': 'acme.my', 'SANDBOX': True}, 'https://acme.my.salesforce.com', True),
        ({'DOMAIN': 'acme--dev.sandbox.my'}, 'https://acme--dev.sandbox.my.salesforce.com', True),
        ({'DOMAIN': 'test'}, 'https://test.salesforce.com', True),
        ({'DOMAIN': 'test.salesforce.mil'}, 'https://test.salesforce.mil', True),
        ({'DOMAIN': 'login'}, 'https://login.salesforce.com', False),
        ({'LOGIN_URL': 'http://127.0.0.1:8080/'}, 'http://127.0.0.1:8080', False),
        ({'LOGIN_URL': 'http://fake', 'DOMAIN': 'acme--dev.sandbox.my'}, 'http://fake', True),
    ],
)
@pytest.mark.parametrize('flow', [SOAP, {**SOAP, **APP}, JWT], ids=['SOAP', 'password', 'JWT'])
def test_where_a_login_goes(flow, section, login_url, sandbox):
    settings = read(flow, **section)
    assert (settings.login_url, settings.sandbox) == (login_url, sandbox)


@pytest.mark.parametrize(
    'domain',
    [
        'acme.my',
        'acme.my.salesforce.com',
        'https://acme.my.salesforce.com',
        'https://acme.my.salesforce.com/',
        'ACME.my',
        ' acme.my ',
    ],
)
def test_a_domain_may_be_written_in_many_ways(domain):
    assert read(DOMAIN=domain).login_url == 'https://acme.my.salesforce.com'


def test_a_domain_of_the_government_is_one():
    assert read(DOMAIN='acme.my.salesforce.mil').login_url == 'https://acme.my.salesforce.mil'


@pytest.mark.parametrize(
    'domain',
    [
        'acme',
        'acme.salesforce.com',
        'acme.lightning.force.com',
        'https://acme.my.salesforce.com/home',
        'http://acme.my',
        'user:hidden@acme.my',
        'acme.my:8080',
        'acme..my',
        'ac me.my',
        '',
        None,
        7,
        ['acme.my'],
    ],
)
def test_a_domain_of_no_use_is_refused(domain):
    said = complaint(DOMAIN=domain)
    assert 'DOMAIN ' in said
    assert 'hidden' not in said


@pytest.mark.parametrize(
    'domain',
    ['login', 'test', 'https://login.salesforce.com', 'login.salesforce.mil', 'test.salesforce.mil'],
)
def test_client_credentials_need_the_domain_of_the_org(domain):
    assert 'DOMAIN has to be the My Domain of the org' in complaint(DOMAIN=domain)


def test_a_login_url_wins_against_a_domain_that_stays_beside_it():
    url = 'http://127.0.0.1:8080'
    settings = read({**APP, 'LOGIN_URL': url, 'DOMAIN': 'acme--dev.sandbox.my'})
    assert (settings.login_url, settings.instance_url, settings.sandbox) == (url, url, True)


def test_with_a_login_url_everything_goes_there():
    url = 'http://127.0.0.1:8080'
    assert read({**APP, 'LOGIN_URL': url}).instance_url == url
    assert read({**TOKEN, 'LOGIN_URL': url}).credentials == OwnToken('hidden-access', url)
    assert read({'ACCESS_TOKEN': 'hidden', 'LOGIN_URL': url}).credentials.instance_url == url


@pytest.mark.parametrize('key', ['LOGIN_URL', 'INSTANCE_URL'])
@pytest.mark.parametrize(
    'url',
    [
        '127.0.0.1:8080',
        'ftp://host',
        'http://user:hidden@host',
        'http://host/path',
        'http://host/?query',
        'http://host:99999',
        'http://a b',
        '',
        None,
        7,
    ],
)
def test_an_address_of_no_use_is_refused(key, url):
    said = complaint({**TOKEN, key: url})
    assert f'{key} ' in said
    assert 'hidden' not in said


@pytest.mark.parametrize('host', ['login', 'test'])
@pytest.mark.parametrize('top', ['com', 'mil'])
def test_salesforce_itself_is_no_login_url(host, top):
    assert 'leave it out' in complaint(LOGIN_URL=f'https://{host}.salesforce.{top}/')


# --- single keys -------------------------------------------------------------------------------------


def test_the_least_section_gives_the_defaults():
    assert read() == SalesforceSettings(
        credentials=ClientCredentials('hidden-key', 'hidden-secret'),
        login_url='https://acme.my.salesforce.com',
    )


def test_every_key_goes_where_it_belongs():
    settings = read(
        SOAP,
        SANDBOX=True,
        API_VERSION='66.0',
        BAYEUX_VERSION='1.1',
        BAYEUX_MINIMUM_VERSION=0.9,
        PUSHTOPIC_REPLAY_ENABLED=True,
        PUSHTOPIC_REPLAY_REDIS_URI='redis://:hidden@localhost:6379/1',
        PUSHTOPIC_REPLAY_TTL=3600,
        REPLAY_STORE_URI='redis://:hidden@localhost:6379/1',
        DEAD_LETTER_LIMIT=77,
        FAIL_FAST=True,
        LOGINS_PER_HOUR=5,
        REQUEST_TIMEOUT=7,
        POOL_SIZE=3,
        MAILBOX_LIMIT=9,
        EVENT_WORKERS=4,
        NETWORK_ALLOWANCE=3,
        HANDSHAKE_DISTANCE=0.5,
        DISCONNECT_TIMEOUT=2.5,
        BACKOFF_FIRST=0.1,
        BACKOFF_CAP=9,
        CONNECT_TIMEOUT=4,
        CA_BUNDLE='/etc/ca.pem',
        CLIENT_CERTIFICATE='/etc/client.pem',
        PROXY='http://user:hidden@proxy:3128',
        MESSAGE_LIMIT=1000,
        REQUEST_LIMIT=2000,
    )
    assert settings == SalesforceSettings(
        credentials=SoapLogin('ada@example.com', 'hidden-password', 'hidden-token'),
        login_url='https://test.salesforce.com',
        sandbox=True,
        api_version='66.0',
        fail_fast=True,
        logins_per_hour=5,
        request_timeout=7.0,
        pool_size=3,
        mailbox_limit=9,
        event_workers=4,
        replay=ReplaySettings(
            store_uri='redis://:hidden@localhost:6379/1', ttl=3600, dead_letter_limit=77, chosen=True
        ),
        session=SessionOptions(
            version='1.1',
            minimum_version='0.9',
            network_allowance=3.0,
            handshake_distance=0.5,
            disconnect_timeout=2.5,
            longest_brake=30.0,
            backoff=Backoff(first=0.1, cap=9.0),
        ),
        transport=TransportOptions(
            network_allowance=3.0,
            connect_timeout=4.0,
            ca_bundle='/etc/ca.pem',
            client_certificate='/etc/client.pem',
            proxy='http://user:hidden@proxy:3128',
            message_limit=1000,
            request_limit=2000,
        ),
    )


def test_no_repr_of_any_settings_shows_a_secret():
    for section in (SOAP, {**SOAP, **APP}, CLIENT, JWT, TOKEN):
        shown = repr(
            read(
                section,
                PROXY='http://user:hidden@proxy',
                REPLAY_STORE_URI='redis://:hidden@localhost',
            )
        )
        assert 'hidden' not in shown
        assert 'BEGIN' not in shown


@pytest.mark.parametrize('version', [67, 67.0, '67', '67.0', 'v67', 'v67.0'])
def test_a_version_may_be_written_in_many_ways(version):
    assert read(API_VERSION=version).api_version == '67.0'


@pytest.mark.parametrize('version', [67.5, '67.5', '67.00', 'sixty', '', None, True, -67, 1e9, [67], '٦٧'])
def test_a_version_of_no_use_is_refused(version):
    assert 'API_VERSION ' in complaint(API_VERSION=version)


@pytest.mark.parametrize('version', [29, '30.0', 36.0])
def test_a_retired_version_is_refused_with_the_reason(version):
    text = 'API_VERSION has to be at least 37.0: Salesforce streams no earlier version'
    assert text in complaint(API_VERSION=version)


def test_the_oldest_and_the_default_version_are_accepted():
    assert read(API_VERSION=37.0).api_version == '37.0'
    assert read().api_version == DEFAULT_API_VERSION


SECRETS = ['USERNAME', 'PASSWORD', 'SECURITY_TOKEN', 'CONSUMER_KEY', 'CONSUMER_SECRET', 'ACCESS_TOKEN']


@pytest.mark.parametrize('key', SECRETS)
@pytest.mark.parametrize('value', [123456, 12.5, True])
def test_a_secret_that_yaml_took_for_a_number_is_refused_with_a_hint(key, value):
    said = complaint({**SOAP, **CLIENT, **TOKEN, key: value})
    assert f'{key} has to be a text: quote it, or write !raw_env_var' in said
    assert str(value) not in said


@pytest.mark.parametrize('key', SECRETS)
def test_a_secret_with_a_line_end_is_refused_with_the_reason(key):
    said = complaint({**SOAP, **CLIENT, **TOKEN, key: 'hidden\n'})
    assert f'{key} has to be a text in one line' in said
    assert 'hidden' not in said


@pytest.mark.parametrize('key', SECRETS)
def test_an_environment_variable_that_is_not_set_is_called_empty_and_counts_as_given(key):
    said = complaint({**SOAP, **CLIENT, **TOKEN, key: None})
    assert f'{key} is empty' in said
    alone = complaint(SOAP, PASSWORD=None)
    assert alone == 'Section SALESFORCE of the configuration: PASSWORD is empty, it has to be a text'


@pytest.mark.parametrize(
    'key', sorted(set(KEYS) - {'SECURITY_TOKEN', 'BAYEUX_VERSION', 'BAYEUX_MINIMUM_VERSION'})
)
@pytest.mark.parametrize('value', [None, object(), [], '', float('nan'), float('inf'), -1, {1: 2}])
def test_a_value_of_no_use_is_reported_under_its_key(key, value):
    assert f'{key} ' in complaint(SOAP, **{key: value})


# What somebody may have put under a wrong key, or in a wrong way.
WRONG = [
    'hidden\n',
    'hidden hidden \0',
    ['hidden', 'hidden', 'hidden'],
    {'hidden': 'hidden'},
    b'hidden',
    'http://user:hid/zzz@proxy:3128',
    'http://user:12/hidden@proxy:3128',
    'https://user:hidden@acme.my.salesforce.com',
    'https://acme.my.salesforce.com:hidden/',
    'redis://:hidden@host:port/0',
    'redis://:hid/zzz@host/0',
    'redis://host?hidden=hidden',
    'sqlite://hidden',
]


@pytest.mark.parametrize('key', [*KEYS, 'PASSWORT'])
def test_nothing_that_is_known_of_a_wrong_configuration_shows_a_value(key):
    for value in WRONG:
        with pytest.raises(ConfigurationError) as caught:
            read({**SOAP, **CLIENT, 'UNKNOWN': value}, **{key: value})
        shown = shown_by(caught.value)
        assert 'UNKNOWN is not known' in shown
        assert [part for part in ('hid', 'zzz') if part in shown] == []


@pytest.mark.parametrize('pem', ['hidden', PEM[:-300]])
def test_a_private_key_of_no_use_is_refused_without_a_part_of_it(pem, tmp_path):
    said = complaint(JWT, PRIVATE_KEY=pem)
    assert said.endswith(
        'PRIVATE_KEY has to be an RSA private key of 2048 bits or more in PEM form without a passphrase'
    )
    path = tmp_path / 'key.pem'
    path.write_text(pem)
    said = complaint({'CONSUMER_KEY': 'k', 'USERNAME': 'u', 'PRIVATE_KEY_FILE': str(path)})
    assert said.endswith(
        'PRIVATE_KEY_FILE has to be the name of a file that holds '
        'an RSA private key of 2048 bits or more in PEM form without a passphrase'
    )


def test_a_key_file_that_cannot_be_read_is_reported_at_the_start(tmp_path):
    for path, reason in ((tmp_path / 'none', 'No such file'), (tmp_path, 'Is a directory')):
        said = complaint({'CONSUMER_KEY': 'k', 'USERNAME': 'u', 'PRIVATE_KEY_FILE': str(path)})
        assert f'PRIVATE_KEY_FILE has to be the name of a file that can be read ({reason}' in said


@pytest.mark.parametrize(
    ('path', 'said'),
    [
        ('provide', 'a dotted name'),
        ('a b.c', 'a dotted name'),
        ('..x', 'a dotted name'),
        ('no_such_module.provide', "(ModuleNotFoundError: No module named 'no_such_module')"),
        ('module_of_the_user.nothing', 'the name of a function, which module_of_the_user has not'),
        ('module_of_the_user.number', 'the name of a function'),
    ],
)
def test_a_provider_of_no_use_is_refused(path, said):
    assert said in complaint({'TOKEN_PROVIDER': path})


def test_a_module_that_fails_is_named_without_what_it_says(tmp_path, monkeypatch):
    (tmp_path / 'failing_module.py').write_text('raise RuntimeError("hidden")')
    monkeypatch.syspath_prepend(tmp_path)
    said = complaint({'TOKEN_PROVIDER': 'failing_module.provide'})
    assert said.endswith('TOKEN_PROVIDER has to be a name that can be imported (RuntimeError)')


@pytest.mark.parametrize('uri', ['localhost:6379', 'http://:hidden@localhost', 'hidden'])
def test_a_redis_uri_of_no_use_is_refused_without_its_password(uri):
    said = complaint(PUSHTOPIC_REPLAY_REDIS_URI=uri)
    assert 'PUSHTOPIC_REPLAY_REDIS_URI has to be a URI such as redis://' in said
    assert 'hidden' not in said


# --- the section as a whole --------------------------------------------------------------------------


@pytest.mark.parametrize('config', [{}, {'SALESFORCE': None}, {'SALESFORCE': 'hidden'}])
def test_a_missing_section_is_named_with_an_example(config):
    with pytest.raises(ConfigurationError, match=r'SALESFORCE:\n  DOMAIN: acme.my\n') as caught:
        read_settings(config)
    assert 'hidden' not in str(caught.value)


def test_all_problems_are_named_at_once():
    said = complaint(
        {
            'USERNAME': 'ada@example.com',
            'PASSWORD': 123456,
            'SANDBOKS': 'yes',
            'API_VERSION': 36.0,
            'BACKOFF_FIRST': 100,
            'PUSHTOPIC_REPLAY_ENABLED': True,
        }
    )
    assert said == (
        'Section SALESFORCE of the configuration: '
        'PASSWORD has to be a text: quote it, or write !raw_env_var; '
        'SANDBOKS is not known (did you mean SANDBOX?); '
        'API_VERSION has to be at least 37.0: Salesforce streams no earlier version; '
        'PASSWORD and USERNAME alone: no way to log in, missing SECURITY_TOKEN for SOAP login; or '
        'CONSUMER_KEY and CONSUMER_SECRET for OAuth username-password; '
        'PUSHTOPIC_REPLAY_REDIS_URI is missing, or PUSHTOPIC_REPLAY_ENABLED is one too many '
        '(REPLAY_STORE_URI alone does for both); '
        'BACKOFF_CAP has to be at least BACKOFF_FIRST (1 by default)'
    )


def test_all_keys_of_1_2_are_known():
    of_1_2 = ['USERNAME', 'PASSWORD', 'SECURITY_TOKEN', 'SANDBOX', 'API_VERSION']
    of_1_2 += ['BAYEUX_VERSION', 'BAYEUX_MINIMUM_VERSION']
    of_1_2 += [f'PUSHTOPIC_REPLAY_{each}' for each in ('ENABLED', 'REDIS_URI', 'TTL')]
    assert set(KEYS) >= set(of_1_2)


def test_every_flow_key_can_be_read_and_the_clients_keys_are_those_of_every_section():
    assert set(KEYS) >= FLOW_KEYS
    assert {key: KEYS[key] for key in CLIENT_KEYS} == dict(CLIENT_KEYS)


def test_every_setting_is_documented_in_its_class():
    for cls in (SalesforceSettings, ReplaySettings):
        documented = re.findall(r'^        ((?:\w+, )*\w+):', cls.__doc__, re.MULTILINE)
        assert ', '.join(documented).split(', ') == [each.name for each in fields(cls)]


def test_a_value_whose_bytes_are_no_text_is_refused_before_it_is_sent():
    """Of an environment variable that is not UTF-8; the error of the encoder would repeat it in a log."""
    broken = b'p\xe9ssword'.decode('utf-8', 'surrogateescape')
    said = complaint({**SOAP, 'PASSWORD': broken})
    assert 'PASSWORD has to be a text in UTF-8' in said
    assert 'ssword' not in said.replace('PASSWORD', '')


@pytest.mark.parametrize('domain', ['acme.my.sfcrmproducts.cn', 'evil.example.com', 'acme', '.my'])
def test_a_domain_that_is_not_salesforces_is_refused(domain):
    assert 'DOMAIN has to be a My Domain' in complaint({**SOAP, 'DOMAIN': domain})


@pytest.mark.parametrize(('domain', 'sandbox'), [('login', True), ('test', False)])
def test_a_domain_that_contradicts_the_sandbox_is_refused(domain, sandbox):
    said = complaint({**SOAP, 'DOMAIN': domain, 'SANDBOX': sandbox})
    assert 'SANDBOX and DOMAIN contradict each other' in said
