"""settings.py: what the section BAYEUX may say, and what is said about one that is wrong."""

import pytest
from nameko.exceptions import ConfigurationError

from nameko_salesforce.bayeux import Backoff, SessionOptions, TransportOptions
from nameko_salesforce.bayeux.settings import KEYS, BayeuxSettings, read_settings

URI = 'http://127.0.0.1:8080/cometd'


def read(**section):
    return read_settings({'BAYEUX': {'SERVER_URI': URI, **section}})


def complaint(**section):
    """What is said about a section that is wrong."""
    config = {'BAYEUX': {'SERVER_URI': URI, **section}}
    with pytest.raises(ConfigurationError) as caught:
        read_settings(config)
    return str(caught.value)


def test_the_address_alone_is_enough_and_the_rest_is_the_default():
    assert read() == BayeuxSettings(server_uri=URI)


def test_every_key_reaches_its_option():
    settings = read(
        HEADERS={'Authorization': 'Bearer x'},
        MAILBOX_LIMIT=7,
        VERSION='1.1',
        MINIMUM_VERSION='0.9',
        ACK=True,
        NETWORK_ALLOWANCE=3,
        HANDSHAKE_DISTANCE=0.5,
        DISCONNECT_TIMEOUT=2.5,
        BACKOFF_FIRST=0.1,
        BACKOFF_CAP=9,
        CONNECT_TIMEOUT=4,
        CA_BUNDLE='/etc/ca.pem',
        CLIENT_CERTIFICATE=['/etc/client.pem', '/etc/client.key'],
        PROXY='http://user:secret@proxy:3128',
        MESSAGE_LIMIT=1000,
        REQUEST_LIMIT=2000,
    )
    assert settings == BayeuxSettings(
        server_uri=URI,
        headers={'Authorization': 'Bearer x'},
        mailbox_limit=7,
        session=SessionOptions(
            version='1.1',
            minimum_version='0.9',
            ack=True,
            network_allowance=3.0,
            handshake_distance=0.5,
            disconnect_timeout=2.5,
            backoff=Backoff(first=0.1, cap=9.0),
        ),
        transport=TransportOptions(
            network_allowance=3.0,
            connect_timeout=4.0,
            ca_bundle='/etc/ca.pem',
            client_certificate=('/etc/client.pem', '/etc/client.key'),
            proxy='http://user:secret@proxy:3128',
            message_limit=1000,
            request_limit=2000,
        ),
    )


def test_a_version_that_yaml_made_a_number_of_is_text_on_the_wire():
    assert read(VERSION=1.0).session.version == '1.0'


def test_credentials_appear_in_no_repr():
    settings = read(HEADERS={'Authorization': 'Bearer hidden'}, PROXY='http://user:hidden@proxy')
    assert 'hidden' not in repr(settings)


@pytest.mark.parametrize('config', [{}, {'BAYEUX': None}, {'BAYEUX': 'http://127.0.0.1/cometd'}])
def test_a_missing_section_is_named_with_an_example(config):
    with pytest.raises(ConfigurationError, match=r'BAYEUX:\n  SERVER_URI: http://'):
        read_settings(config)


def test_a_missing_address_is_named():
    with pytest.raises(ConfigurationError, match='SERVER_URI is missing'):
        read_settings({'BAYEUX': {}})


def test_all_problems_are_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        read_settings(
            {'BAYEUX': {'ACK': 'yes', 'NETWORK_ALLOWANCE': -1, 'SERVER_URL': URI, 'MESSAGE_LIMIT': 0}}
        )
    assert str(caught.value) == (
        'Section BAYEUX of the configuration: SERVER_URI is missing; ACK has to be true or false; '
        'NETWORK_ALLOWANCE has to be a number of seconds above 0; '
        'SERVER_URL is not known (did you mean SERVER_URI?); '
        'MESSAGE_LIMIT has to be a whole number above 0'
    )


@pytest.mark.parametrize('key', sorted(set(KEYS) - {'VERSION', 'MINIMUM_VERSION'}))
@pytest.mark.parametrize('value', [None, object(), [], '', float('nan'), float('inf'), -1, {1: 2}])
def test_a_value_of_no_use_is_reported_under_its_key(key, value):
    assert f'{key} ' in complaint(**{key: value})


@pytest.mark.parametrize('value', [None, True, '', [], {}])
def test_a_version_of_no_use_is_reported(value):
    assert 'VERSION ' in complaint(VERSION=value)


@pytest.mark.parametrize('key', ['NETWORK_ALLOWANCE', 'MESSAGE_LIMIT'])
def test_true_is_not_taken_for_a_number(key):
    assert key in complaint(**{key: True})


def test_an_environment_variable_that_is_not_set_is_called_empty():
    assert 'SERVER_URI is empty' in complaint(SERVER_URI=None)


@pytest.mark.parametrize(
    'uri',
    [
        'ftp://host/',
        '127.0.0.1:8080/cometd',
        'http://',
        'http://user:hidden@host/',
        'http://host:99999/',
        'http://a b',
    ],
)
def test_an_address_of_no_use_is_refused_before_the_start(uri):
    text = complaint(SERVER_URI=uri)
    assert 'SERVER_URI has to be a URL' in text
    assert 'hidden' not in text


def test_a_proxy_of_no_use_is_refused_before_the_start_without_its_password():
    text = complaint(PROXY='socks5://user:hidden@proxy')
    assert 'PROXY has to be a URL' in text
    assert 'hidden' not in text


@pytest.mark.parametrize(
    ('headers', 'said'),
    [
        ({'Cookie': 'hidden'}, "without the header 'Cookie'"),
        ({'content-length': 'hidden'}, "without the header 'content-length'"),
        ({'Bad name': 'hidden'}, "without the header 'Bad name'"),
        ({'X-Token': 12345}, 'quote that of X-Token, or write !raw_env_var'),
        ({'X-Token': 'hidden\r\nEvil: 1'}, 'in one line'),
        ({'X-Token': 'hidden \N{SNOWMAN}'}, 'Latin-1'),
    ],
)
def test_a_header_that_could_never_be_sent_is_refused_without_its_value(headers, said):
    text = complaint(HEADERS=headers)
    assert said in text
    assert 'hidden' not in text
    assert '12345' not in text


def test_pauses_that_shrink_are_refused():
    assert 'BACKOFF_CAP has to be at least BACKOFF_FIRST' in complaint(BACKOFF_FIRST=10, BACKOFF_CAP=5)


def test_a_key_like_no_other_is_reported_without_a_guess():
    assert complaint(**{'ZZZ': 1}).endswith('ZZZ is not known')
