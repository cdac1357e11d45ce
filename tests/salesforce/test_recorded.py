"""Our side of the recorded answers in tests/wire/logins: what a login makes of them."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nameko_salesforce.config import read_settings
from nameko_salesforce.errors import LoginRefused
from nameko_salesforce.login import log_in
from tests.bayeux.sockets.raw_server import answer

FILES = sorted((Path(__file__).parents[1] / 'wire/logins').glob('*.json'))
RECORDED = [each for each in map(lambda path: json.loads(path.read_text()), FILES) if each['flow'] != 'rest']

ORG, USER = '00Dx0000000BV7zEAG', '005x00000012Q9PAAU'
SOAP = {
    'host': 'https://acme.my.salesforce.com',
    'org': ORG,
    'org15': ORG[:15],
    'user': USER,
    'profile': '00e000000000001AAA',
    'email': 'ada@example.com',
    'session': '00Dx0000000BV7z!AR8AQAxo9UfVkh8A',
}


@pytest.fixture(scope='module')
def flows():
    key = rsa.generate_private_key(65_537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    user, app = {'USERNAME': 'ada@x.com'}, {'CONSUMER_KEY': 'key'}
    return {
        'soap': {**user, 'PASSWORD': 'pw', 'SECURITY_TOKEN': 'st'},
        'password': {**user, **app, 'PASSWORD': 'pw', 'CONSUMER_SECRET': 'cs'},
        'client': {**app, 'CONSUMER_SECRET': 'cs'},
        'jwt': {**user, **app, 'PRIVATE_KEY': key.decode()},
    }


@pytest.mark.parametrize('recorded', RECORDED, ids=lambda recorded: recorded['name'])
def test_a_recorded_answer_means_what_its_file_says(recorded, serve, flows):
    text = recorded['text'].format(**SOAP) if 'text' in recorded else json.dumps(recorded['json'])
    reply = answer(status=f'{recorded["status"]} Recorded', body=text.encode())

    def script(peer):
        peer.head()
        peer.send(reply)

    server = serve(script)
    settings = read_settings(
        {'SALESFORCE': {**flows[recorded['flow']], 'LOGIN_URL': f'http://localhost:{server.port}'}}
    )
    if recorded['outcome'] == 'granted':
        token = log_in(settings)
        assert (token.access_token, token.user_id) == ('00Dx0000000BV7z!AR8AQAxo9UfVkh8A', USER)
        assert token.organization_id == ORG
    else:
        with pytest.raises(LoginRefused) as caught:
            log_in(settings)
        assert caught.value.code == recorded['code']
