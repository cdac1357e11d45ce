"""Whatever a client sends to the fake: it gets a well-formed answer, and others are served as before."""

import json
import socket
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.strategies import JSON, MESSAGES, MUTATIONS, mutated

FORM = 'application/x-www-form-urlencoded'
HANDSHAKE = {
    'channel': '/meta/handshake',
    'id': '1',
    'version': '1.0',
    'supportedConnectionTypes': ['long-polling'],
}
SOAP = (
    b'<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<n:login xmlns:n="urn:partner.soap.sforce.com"><n:username>a</n:username><n:password>b</n:password>'
    b'</n:login></e:Body></e:Envelope>'
)
OAUTH = b'grant_type=client_credentials&client_id=fake-consumer-key&client_secret=fake-consumer-secret'
# (method, path, content type, body)
REQUESTS = [
    ('POST', '/cometd', 'application/json', json.dumps([HANDSHAKE]).encode()),
    ('POST', '/cometd/67.0', 'application/json', json.dumps([HANDSHAKE]).encode()),
    ('POST', '/services/oauth2/token', FORM, OAUTH),
    ('POST', '/services/Soap/u/67.0', 'text/xml', SOAP),
    ('GET', '/services/data/v67.0/query/?q=SELECT+Id+FROM+Contact', 'application/json', b''),
    ('POST', '/services/data/v67.0/sobjects/Contact/', 'application/json', b'{"LastName": "x"}'),
    (
        'PATCH',
        '/services/data/v67.0/sobjects/Contact/003000000000001AAA',
        'application/json',
        b'{"LastName": 1}',
    ),
    ('POST', '/_fake/faults', 'application/json', b'{"kind": "status", "status": 503, "channel": "/nobody"}'),
    ('PATCH', '/_fake/settings', 'application/json', b'{"interval": 0}'),
    ('POST', '/_fake/seed', 'application/json', b'{"record_types": {"Contact": ["X"]}}'),
]


def ask(fake, data, patience=20.0):
    """Bytes to the fake; the status of the answer, None where it closes without one, or waits for more."""
    place = urlsplit(fake.url)
    with socket.create_connection((place.hostname, place.port), timeout=patience) as sock:
        sock.sendall(data)
        try:
            answer = sock.recv(65536)
        except (TimeoutError, ConnectionError):
            answer = b''
    if not answer:
        return None
    assert answer.startswith(b'HTTP/'), answer[:80]
    return int(answer.split(b' ', 2)[1])


def request(method, path, kind, body, host):
    head = (
        f'{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n'
        f'Content-Length: {len(body)}\r\nConnection: close\r\n\r\n'
    )
    return head.encode('utf-8', 'surrogateescape') + body


def may_be_500(path):
    """As SOAP's faults are, and CometD's answer to a request without a message."""
    return path.startswith(('/services/Soap', '/cometd'))


def well(fake):
    """It serves a client in order."""
    host = urlsplit(fake.url).netloc
    assert (
        ask(fake, request('POST', urlsplit(fake.url).path, 'application/json', REQUESTS[0][3], host)) == 200
    )


@given(which=st.integers(0, len(REQUESTS) - 1), mutations=MUTATIONS)
def test_any_body_is_answered_and_never_by_a_failure_of_the_server(fake_salesforce, which, mutations):
    method, path, kind, body = REQUESTS[which]
    data = request(method, path, kind, mutated(body, mutations), urlsplit(fake_salesforce.url).netloc)
    status = ask(fake_salesforce, data)
    assert status is not None
    assert status != 500 or may_be_500(path)
    well(fake_salesforce)


@given(which=st.integers(0, len(REQUESTS) - 1), mutations=MUTATIONS)
def test_any_bytes_are_answered_or_the_connection_is_closed(fake_salesforce, which, mutations):
    method, path, kind, body = REQUESTS[which]
    data = mutated(request(method, path, kind, body, urlsplit(fake_salesforce.url).netloc), mutations)
    assert ask(fake_salesforce, data, patience=0.3) != 500 or may_be_500(path)
    well(fake_salesforce)


@given(messages=st.lists(MESSAGES, max_size=3) | MESSAGES | JSON)
def test_any_messages_are_answered(fake_cometd, messages):
    place = urlsplit(fake_cometd.url)
    body = json.dumps(messages).encode()
    status = ask(fake_cometd, request('POST', place.path, 'application/json', body, place.netloc))
    # The reference server answers 500 to what is no list of messages. An error of our own fails the run
    # when the fake ends.
    assert status is not None
    well(fake_cometd)
