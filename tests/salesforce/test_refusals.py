"""What a refusal means, row by row, and that no text repeats a secret."""

import pytest

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.errors import LoginFailed, LoginRefused
from nameko_salesforce.refusals import hide, judge

SOAP, PASSWORD, CLIENT, JWT, OWN = (
    'SOAP login',
    'OAuth username-password',
    'client credentials',
    'JWT bearer',
    'own token',
)
BAD_REQUEST = Failure(FailureKind.STATUS, '400 Bad Request', 400, 7.0)


def judged(code, text, flow=CLIENT, secrets=()):
    return judge(code, text, flow=flow, secrets=secrets, failure=BAD_REQUEST)


@pytest.mark.parametrize(
    ('flow', 'code', 'text', 'way_out'),
    [
        (
            SOAP,
            'INVALID_LOGIN',
            'Invalid username, password, security token; or user locked out.',
            'SECURITY_TOKEN',
        ),
        (
            SOAP,
            'INVALID_LOGIN',
            'Invalid username, password, security token; or user locked out.',
            'SOAP login() is off',
        ),
        (SOAP, 'INSUFFICIENT_ACCESS', 'no', 'Use Any API Auth'),
        (SOAP, 'INVALID_OPERATION', 'SOAP API login() is disabled by default in this org.', 'is off in orgs'),
        (SOAP, 'UNSUPPORTED_API_VERSION', 'no', 'client credentials or JWT'),
        (SOAP, 'LOGIN_MUST_USE_SECURITY_TOKEN', 'no', 'SECURITY_TOKEN is missing'),
        (SOAP, 'PASSWORD_EXPIRED', 'the password has expired', 'set a new password'),
        (SOAP, 'PASSWORD_LOCKOUT', 'no', 'unlock the user'),
        (PASSWORD, 'invalid_grant', 'authentication failure', 'block the username-password flow'),
        (JWT, 'invalid_grant', 'Audience validation failed', 'SANDBOX'),
        (JWT, 'invalid_grant', "user hasn't approved this consumer", 'pre-authorize'),
        (
            JWT,
            'invalid_grant',
            'user hasn\N{RIGHT SINGLE QUOTATION MARK}t approved this consumer',
            'pre-authorize',
        ),
        (JWT, 'invalid_grant', 'invalid assertion', 'certificate of the app'),
        (JWT, 'invalid_grant', 'inactive user', 'activate the user'),
        (CLIENT, 'invalid_grant', 'request not supported on this domain', 'My Domain'),
        (CLIENT, 'invalid_grant', 'no client credentials user enabled', '"Run As"'),
        (CLIENT, 'invalid_grant', 'something', 'run-as user'),
        (CLIENT, 'invalid_client_id', 'client identifier invalid', 'check CONSUMER_KEY'),
        (CLIENT, 'invalid_client', 'invalid client credentials', 'CONSUMER_SECRET'),
        (CLIENT, 'unsupported_grant_type', 'grant type not supported', 'enable the flow'),
        (CLIENT, 'inactive_user', '', 'activate'),
        (CLIENT, 'invalid_app_access', '', 'access to the app'),
        (OWN, 'INVALID_SESSION_ID', 'Session expired or invalid', 'TOKEN_PROVIDER'),
        (OWN, 'NOT_FOUND', 'The requested resource does not exist', 'API_VERSION'),
        (OWN, 'GONE', 'API version 42.0', 'raise API_VERSION'),
    ],
)
def test_a_known_refusal_has_salesforces_words_and_the_way_out(flow, code, text, way_out):
    error = judged(code, text, flow)
    assert isinstance(error, LoginRefused)
    assert error.code == code
    assert text in error.text
    assert way_out in error.text


def test_an_unknown_refusal_is_a_refusal_in_salesforces_words_alone():
    assert judged('API_DISABLED_FOR_ORG', 'API is not enabled').args == (
        'API_DISABLED_FOR_ORG',
        'API is not enabled',
        0.0,
    )
    assert judged('ODD', '').text == 'no reason given'


@pytest.mark.parametrize(
    ('code', 'text'),
    [
        ('SERVER_UNAVAILABLE', 'try later'),
        ('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
        ('UNKNOWN_EXCEPTION', 'An unexpected error occurred.'),
        ('rate_limit_exceeded', 'login rate exceeded'),
        ('invalid_grant', 'login rate exceeded'),
        ('server_error', ''),
        ('unknown_error', 'Server is too busy. Please try your request again later.'),
    ],
)
def test_trouble_that_passes_is_no_refusal(code, text):
    error = judged(code, text)
    assert isinstance(error, LoginFailed)
    assert error.failure == Failure(FailureKind.STATUS, f'{code}: {text}', 400, 7.0)


SECRET = 'p&ss "wörd"+<%x>'


@pytest.mark.parametrize(
    'form',
    [
        SECRET,
        'p&amp;ss "wörd"+&lt;%x&gt;',
        'p&amp;ss &quot;wörd&quot;+&lt;%x&gt;',
        'p%26ss%20%22w%C3%B6rd%22%2B%3C%25x%3E',
        'p%26ss+%22w%C3%B6rd%22%2B%3C%25x%3E',
    ],
)
def test_a_secret_is_hidden_in_every_form_in_which_it_was_sent(form):
    for error in (judged('X', f'bad {form}!', secrets=[SECRET]), judged(form, 'bad', secrets=[SECRET])):
        assert 'rd' not in str(error)
        assert '***' in str(error)
    assert 'rd' not in str(judged('SERVER_UNAVAILABLE', form, secrets=[SECRET]))


def test_words_are_not_hidden_and_empty_secrets_hide_nothing():
    assert hide('Invalid username, password, security token', ['', 'token', 'password'[:7]]) == (
        'Invalid username, password, security token'
    )


def test_a_secret_within_another_does_not_show_the_rest_of_it():
    assert hide('it is abcdefgh-rest', ['abcdefgh', 'abcdefgh-rest']) == 'it is ***'


def test_what_a_terminal_would_obey_is_taken_out_and_the_text_is_bounded():
    assert hide('a\x1b[31mb\r\nc', []) == 'a [31mb c'
    # A line separator, a lone surrogate, a mark that turns the direction of writing.
    assert hide('a\u2028b\ud800c\u202ed', []) == 'a b c d'
    assert len(hide('x' * 10_000, [])) == 300
    assert len(judged('X' * 1000, '').code) == 60
