"""Whom logins and REST refuse for its certificate, and that nothing was sent by then.

For the stream: tests/bayeux/sockets/test_transport_tls.py. Which authorities are trusted:
test_rest_certificates.py.
"""

import contextlib
import datetime
import gc

import pytest
import requests
import trustme
from eventlet.green import ssl as green_ssl

from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.config import read_settings
from nameko_salesforce.errors import LoginFailed
from nameko_salesforce.login import log_in
from nameko_salesforce.rest import rest_client
from nameko_salesforce.web import new_session
from tests.bayeux.sockets.raw_server import answer
from tests.salesforce.peers import GOOD, Org
from tests.salesforce.test_login import FLOWS, GRANTED, vault
from tests.services.certificates import self_signed

__all__ = ['vault']  # a fixture, for the flow of a provider

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


@pytest.fixture(scope='module')
def bundle(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp('ca') / 'ca.pem'
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def context(authority, tmp_path):
    """`context(kind)` -> TLS of a server whose certificate is of this kind."""

    def make(kind):
        made = green_ssl.SSLContext(green_ssl.PROTOCOL_TLS_SERVER)
        match kind:
            case 'good':
                authority.issue_cert('localhost').configure_cert(made)
            case 'of an unknown authority':
                trustme.CA().issue_cert('localhost').configure_cert(made)
            case 'for another host':
                authority.issue_cert('login.example.com').configure_cert(made)
            case 'expired':
                authority.issue_cert('localhost', not_before=PAST, not_after=PAST + DAY).configure_cert(made)
            case 'self-signed':
                made.load_cert_chain(self_signed(tmp_path))
        return made

    return make


# Kind of the certificate, whether the bundle is given, what is said.
REFUSED = [
    ('of an unknown authority', True, 'unable to get local issuer certificate'),
    ('for another host', True, 'Hostname mismatch'),
    ('expired', True, 'certificate has expired'),
    ('self-signed', True, 'self-signed certificate'),
    ('self-signed', False, 'self-signed certificate'),
    # The authority is unknown to the system.
    ('good', False, 'unable to get local issuer certificate'),
]


def section(flow, port, bundle):
    url = {'LOGIN_URL': f'https://localhost:{port}'}
    return read_settings({'SALESFORCE': {**FLOWS[flow], **url, **({'CA_BUNDLE': bundle} if bundle else {})}})


@pytest.fixture
def heard(serve, context):
    """`heard(kind)` -> the port of a server, and the requests that come to it."""

    def start(kind, body=b''):
        sent = []

        def script(peer):
            while (head := peer.head()) is not None:
                sent.append(head)
                peer.send(answer(body=body) if body else GOOD)

        return serve(script, context(kind)).port, sent

    return start


@pytest.mark.parametrize(('kind', 'given', 'said'), REFUSED)
@pytest.mark.parametrize('flow', FLOWS)
def test_no_flow_logs_in_where_the_certificate_is_wrong(heard, bundle, flow, kind, given, said):
    port, sent = heard(kind)
    with pytest.raises(LoginFailed) as caught:
        log_in(section(flow, port, given and bundle))
    assert caught.value.failure.kind is FailureKind.TLS
    assert said in caught.value.failure.detail
    assert sent == []


@pytest.mark.parametrize('flow', FLOWS)
def test_every_flow_logs_in_where_the_bundle_vouches_for_the_certificate(heard, bundle, flow):
    port, sent = heard('good', GRANTED[flow])
    assert log_in(section(flow, port, bundle)).instance_url == f'https://localhost:{port}'
    assert len(sent) == 1


CALLS = {
    'GET': lambda client: client.query('SELECT Id FROM Contact'),
    'POST': lambda client: client.Contact.create({'LastName': 'Hopper'}),
    'SOAP': lambda client: client.mdapi.describe_metadata(),
    'the session': lambda client: client.session.get('https://x/a'),
}


@pytest.fixture
def rest(bundle):
    """`rest(port, given)` -> a client whose token is good for that port."""
    org, clients = Org(), []

    def make(port, given):
        org.address = f'https://localhost:{port}'
        settings = section('client', port, given and bundle)
        clients.append(rest_client(org.tokens, settings, new_session(settings.transport)))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()
    org.server.close()


# urllib3 leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings('ignore:unclosed:ResourceWarning')
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')
@pytest.mark.parametrize(('kind', 'given', 'said'), REFUSED)
@pytest.mark.parametrize('call', CALLS)
def test_rest_sends_nothing_where_the_certificate_is_wrong(heard, rest, call, kind, given, said):
    port, sent = heard(kind)
    with pytest.raises(requests.exceptions.SSLError, match=said):
        CALLS[call](rest(port, given))
    gc.collect()
    assert sent == []


@pytest.mark.parametrize('call', CALLS)
def test_rest_is_served_where_the_bundle_vouches_for_the_certificate(heard, rest, call):
    port, sent = heard('good')
    with contextlib.suppress(
        AttributeError, TypeError, KeyError
    ):  # of simple-salesforce, whom no org answers
        CALLS[call](rest(port, True))
    assert len(sent) == 1
