"""The fake's side of the recorded answers in tests/wire/logins. Those of SOAP, to the letter: test_soap.py.

Granted logins have the fields of the recording; refusals are the recording.
"""

import json
import time
from pathlib import Path

import jwt
import pytest

FILES = {
    path.stem: json.loads(path.read_text())
    for path in (Path(__file__).parents[2] / 'wire/logins').glob('*.json')
}
APP = {'client_id': 'fake-consumer-key', 'client_secret': 'fake-consumer-secret'}
ADA = {'username': 'ada@example.com', 'password': 'secrettoken'}
JWT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'


@pytest.fixture
def signed(fake_salesforce, private_key, public_pem):
    """`signed(aud=..., approved=...)`: the form of a JWT bearer login."""

    def make(aud='https://login.salesforce.com', approved=('ada@example.com',)):
        app = {'name': 'jwt', 'consumer_key': 'jwt-key', 'consumer_secret': 'x', 'public_key': public_pem}
        fake_salesforce.seed({'apps': [{**app, 'approved': list(approved)}]})
        claims = {'iss': 'jwt-key', 'sub': 'ada@example.com', 'aud': aud, 'exp': int(time.time()) + 180}
        return {'grant_type': JWT, 'assertion': jwt.encode(claims, private_key, 'RS256')}

    return make


def provoked(stem, fetch, signed):
    """Status and body of what the file is about."""
    match stem:
        case 'password-granted':
            return fetch.token_request(grant_type='password', **APP, **ADA)
        case 'password-refused':
            return fetch.token_request(grant_type='password', **APP, **{**ADA, 'password': 'wrong'})
        case 'client-credentials-granted':
            return fetch.token_request(grant_type='client_credentials', **APP)
        case 'unknown-app':
            return fetch.token_request(grant_type='client_credentials', **{**APP, 'client_id': 'unknown'})
        case 'jwt-granted':
            return fetch.token_request(**signed())
        case 'jwt-for-another-audience':
            return fetch.token_request(**signed(aud='https://example.com'))
        case 'jwt-not-approved':
            return fetch.token_request(**signed(approved=()))
        case 'rest-session-expired':
            fetch.token = '00D000000000001!expired'
            status, body, _ = fetch('GET', '/services/data/v67.0/limits/')
            return status, body


@pytest.mark.parametrize('stem', sorted(stem for stem in FILES if not stem.startswith('soap-')))
def test_the_fake_answers_as_recorded(stem, fetch, signed):
    recorded = FILES[stem]
    status, body = provoked(stem, fetch, signed)
    assert status == recorded['status']
    if recorded['outcome'] == 'granted':
        assert set(body) == set(recorded['json'])
        assert {name: type(value) for name, value in body.items()} == {
            name: type(value) for name, value in recorded['json'].items()
        }
    else:
        assert body == recorded['json']
