"""A service on its way to Salesforce: TLS with an authority of one's own, and a proxy, for all it does."""

from contextlib import contextmanager

import pytest
import trustme
from fake_salesforce.client import start_fake

from tests.bayeux.sockets.test_transport_proxy import proxy_process
from tests.integration.conftest import Org
from tests.integration.greeter import greeter

SECRET = 'user:passw0rd'


@pytest.fixture
def certificates(tmp_path):
    """The files of an authority, a certificate of its for this machine, and another authority."""
    authority = trustme.CA()
    certificate = authority.issue_cert('127.0.0.1')
    certificate.cert_chain_pems[0].write_to_path(tmp_path / 'certificate.pem')
    certificate.private_key_pem.write_to_path(tmp_path / 'key.pem')
    authority.cert_pem.write_to_path(tmp_path / 'authority.pem')
    trustme.CA().cert_pem.write_to_path(tmp_path / 'other.pem')
    return tmp_path


@pytest.fixture
def guarded(container_factory, log, certificates):
    """A fake Salesforce behind TLS."""
    options = ['--tls-certificate', certificates / 'certificate.pem', '--tls-key', certificates / 'key.pem']
    with start_fake(*map(str, options)) as server:
        yield Org(server, container_factory, log)


def test_login_rest_and_streaming_trust_the_authority_that_is_given(guarded, certificates):
    service, seen = greeter()
    guarded.run(service, CA_BUNDLE=str(certificates / 'authority.pem'))
    contact = guarded.ada.create('Contact', LastName='Hopper')
    guarded.until('the greeting', lambda: seen == ['Hopper'])
    assert guarded.ada.read('Contact', contact)['Description'] == 'seen'


@pytest.mark.parametrize('bundle', ['other.pem', None])
def test_a_certificate_that_nobody_vouches_for_is_refused_in_a_service_that_lives(
    guarded, certificates, bundle
):
    service, _ = greeter()
    running = guarded.make(service, CA_BUNDLE=bundle and str(certificates / bundle)).start()
    guarded.until('the refusal', lambda: guarded.log.lines('login failed: TLS refused'))
    guarded.until('the pause', lambda: running.client.state.value == 'pausing')
    assert guarded.server.journal() == []


def test_login_rest_and_streaming_go_through_the_proxy(org, tmp_path):
    service, seen = greeter()
    with contextmanager(proxy_process)(tmp_path, '--basic-auth', SECRET) as port:
        running = org.run(service, PROXY=f'http://{SECRET}@127.0.0.1:{port}')
        org.ada.create('Contact', LastName='Hopper')
        org.until('the greeting', lambda: seen == ['Hopper'])
    # The poll went through it, and a further login would as well.
    org.until('the loss', lambda: org.log.lines('no connection: proxy 127.0.0.1'))
    running.end('stop')
    assert 'passw0rd' not in '\n'.join(org.log.lines(''))


def test_a_proxy_that_is_not_there_is_told_and_nothing_goes_around_it(org):
    service, _ = greeter()
    org.make(service, PROXY='http://127.0.0.1:1').start()
    org.until('the failure', lambda: org.log.lines('login failed: no connection: proxy 127.0.0.1:1'))
    assert org.server.journal() == []
