"""No repr shows a secret."""

from dataclasses import FrozenInstanceError

import pytest

from nameko_salesforce.credentials import (
    ClientCredentials,
    JwtBearer,
    OwnToken,
    PasswordLogin,
    ProvidedToken,
    SoapLogin,
    Token,
)

ALL = [
    SoapLogin('ada@example.com', 'hidden-1', 'hidden-2'),
    PasswordLogin('ada@example.com', 'hidden-1', 'hidden-2', 'hidden-3', 'hidden-4'),
    ClientCredentials('hidden-1', 'hidden-2'),
    JwtBearer('hidden-1', 'ada@example.com', private_key='hidden-2'),
    JwtBearer('hidden-1', 'ada@example.com', private_key_file='/etc/key.pem'),
    OwnToken('hidden-1', 'https://acme.my.salesforce.com'),
    ProvidedToken('vault.token', lambda: ('hidden-1', 'https://acme.my.salesforce.com')),
]
SECRETS = [f'hidden-{number}' for number in range(1, 5)]


@pytest.mark.parametrize('credentials', ALL, ids=lambda each: type(each).__name__)
def test_no_repr_shows_a_secret(credentials):
    assert 'hidden' not in repr(credentials)
    assert 'hidden' not in f'{credentials} {credentials.flow}'


@pytest.mark.parametrize('credentials', ALL, ids=lambda each: type(each).__name__)
def test_secrets_are_all_that_must_not_be_said(credentials):
    held = [getattr(credentials, name) for name in credentials.__dataclass_fields__]
    assert {each for each in credentials.secrets if each} == {each for each in held if each in SECRETS}


def test_the_repr_of_a_token_shows_whose_it_is():
    token = Token('hidden-1', 'https://acme.my.salesforce.com', '00D' + '0' * 15, '005' + '0' * 15)
    assert 'hidden' not in repr(token)
    assert '005' in repr(token)


@pytest.mark.parametrize('credentials', ALL, ids=lambda each: type(each).__name__)
def test_credentials_cannot_be_changed(credentials):
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        credentials.secrets = ()
