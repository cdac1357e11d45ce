"""The signed statement, and the keys that can sign it."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nameko_salesforce.assertion import LIFETIME, assertion, private_key

KEY = rsa.generate_private_key(65_537, 2048)


def pem(key=KEY, form=serialization.PrivateFormat.PKCS8, protection=None):
    return key.private_bytes(
        serialization.Encoding.PEM, form, protection or serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    'text',
    [
        pem(),
        pem(form=serialization.PrivateFormat.TraditionalOpenSSL),
        # As an environment variable has it.
        pem().replace('\n', '\\n'),
        f'\n{pem()}\n',
    ],
)
def test_a_key_is_read_in_every_usual_form(text):
    assert private_key(text).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(
    'text',
    [
        '',
        'hidden',
        pem()[:-200],
        pem(rsa.generate_private_key(65_537, 1024)),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(protection=serialization.BestAvailableEncryption(b'hidden')),
        KEY.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        '-----BEGIN PRIVATE KEY-----\n\N{SNOWMAN}\n-----END PRIVATE KEY-----\n',
    ],
)
def test_another_text_is_refused_without_a_part_of_it(text):
    with pytest.raises(ValueError) as caught:
        private_key(text)
    assert str(caught.value) == 'an RSA private key of 2048 bits or more in PEM form without a passphrase'


def test_the_statement_says_who_acts_for_whom_where_and_until_when():
    statement = assertion(
        KEY, consumer_key='app', username='ada@example.com', audience='https://login', now=1000.9
    )
    assert jwt.get_unverified_header(statement)['alg'] == 'RS256'
    claims = jwt.decode(
        statement, KEY.public_key(), ['RS256'], audience='https://login', options={'verify_exp': False}
    )
    assert claims == {'iss': 'app', 'sub': 'ada@example.com', 'aud': 'https://login', 'exp': 1000 + LIFETIME}


def test_a_statement_lives_for_no_longer_than_salesforce_accepts():
    assert LIFETIME <= 180
