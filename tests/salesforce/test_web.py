"""One bounded exchange against servers that do whatever they like."""

import ssl
import time

import eventlet
import pytest
import requests
import trustme
from eventlet.green import ssl as green_ssl

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.web import Answer, exchange, new_session
from tests.bayeux.sockets.raw_server import TICK, answer, answering, chunks

BODY = b'user=ada'
HEADERS = {'Authorization': 'Bearer hidden'}


def ask(server, path='/a?b=c', *, headers=HEADERS, body=BODY, timeout=200 * TICK, **options):
    scheme = server.url.partition(':')[0]
    return exchange(
        f'{scheme}://localhost:{server.port}{path}',
        headers=headers,
        body=body,
        options=TransportOptions(**{'connect_timeout': 100 * TICK, **options}),
        timeout=timeout,
    )


def failure_kind(result):
    assert isinstance(result, Failure), result
    assert 'hidden' not in str(result)
    return result.kind


def test_a_body_is_posted_and_the_answer_comes_whole(serve):
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(answer(body=b'x' * 100_000, status='201 Created'))

    assert ask(serve(script)) == Answer(201, 'Created', b'x' * 100_000)
    request = seen[0]
    assert request.line == 'POST /a?b=c HTTP/1.1'
    assert request.body == BODY
    assert request.headers['Authorization'] == 'Bearer hidden'
    assert request.headers['Connection'] == 'close'
    assert request.headers['Host'].startswith('localhost:')


def test_without_a_body_it_is_a_get(serve):
    seen = []

    def script(peer):
        seen.append(peer.head())
        peer.send(answer(body=b'[]'))

    assert ask(serve(script), body=None).body == b'[]'
    assert seen[0][0] == 'GET /a?b=c HTTP/1.1'
    assert not [line for line in seen[0] if line.startswith('Content-Length')]


@pytest.mark.parametrize('status', ['302 Found', '400 Bad Request', '500 Internal Server Error'])
def test_every_status_is_an_answer_and_no_redirect_is_followed(serve, status):
    server = serve(answering(answer(status=status, headers=['Location: http://localhost:1/'], body=b'x')))
    result = ask(server)
    assert (result.status, result.body) == (int(status[:3]), b'x')
    assert server.connections == 1
    assert result.as_failure() == Failure(FailureKind.STATUS, status, int(status[:3]))


def test_the_pause_that_a_server_asks_for_is_told(serve):
    result = ask(serve(answering(answer(status='503 Busy', headers=['Retry-After: 7'], body=b''))))
    assert result.retry_after == 7.0
    assert result.as_failure() == Failure(FailureKind.STATUS, '503 Busy', 503, 7.0)


def test_a_page_of_error_that_repeats_the_request_is_not_repeated(serve):
    result = ask(serve(answering(answer(status='500 Oops', body=b'Authorization: Bearer hidden'))))
    assert 'hidden' not in str(result.as_failure())


def test_a_reason_phrase_is_one_printable_line_of_bounded_length(serve):
    said = b'HTTP/1.1 500 Oops\x1b[31m ' + b'x' * 10_000 + b'\r\nContent-Length: 0\r\n\r\n'
    detail = ask(serve(answering(said))).as_failure().detail
    assert detail.startswith('500 Oops [31m x')
    assert (len(detail), detail.isprintable()) == (100, True)


def test_a_reason_phrase_of_a_proxy_is_one_printable_line(serve):
    proxy = serve(answering(answer(status='407 Go\x1b[31m away', body=b'')))
    result = exchange(
        'http://acme.example/a',
        headers=HEADERS,
        body=BODY,
        options=TransportOptions(proxy=f'http://localhost:{proxy.port}'),
        timeout=100 * TICK,
    )
    assert failure_kind(result) is FailureKind.PROXY
    assert result.detail.endswith(': 407 Go [31m away')


@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_a_reason_phrase_of_a_proxy_that_repeats_its_credentials_does_not_show_them(serve, scheme):
    proxy = serve(answering(answer(status='407 dXNlcjpwQGhpZA== is p@hid', body=b'')))
    result = exchange(
        f'{scheme}://acme.example/a',
        headers=HEADERS,
        body=BODY,
        options=TransportOptions(proxy=f'http://user:p%40hid@localhost:{proxy.port}'),
        timeout=100 * TICK,
    )
    assert failure_kind(result) is FailureKind.PROXY
    assert result.detail.endswith(': 407 *** is ***')


def test_a_reason_phrase_that_repeats_a_secret_does_not_show_it(serve):
    result = ask(serve(answering(answer(status='500 for hidden-secret', body=b''))))
    assert result.as_failure(['hidden-secret']).detail == '500 for ***'


@pytest.mark.parametrize(
    ('data', 'kind'),
    [
        (b'', FailureKind.RESET),
        (b'220 smtp.example.com\r\n', FailureKind.NOT_HTTP),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx', FailureKind.TRUNCATED),
        (chunks(b'[', None), FailureKind.TRUNCATED),
        (b'HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx', FailureKind.NO_REPLY),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n' + b'x' * 2_000_000, FailureKind.TOO_LARGE),
    ],
    ids=['nothing', 'another protocol', 'cut off', 'open chunks', 'unknown encoding', 'huge'],
)
def test_no_complete_answer_is_a_failure(serve, data, kind):
    def script(peer):
        peer.request()
        peer.send(data)
        peer.sock.shutdown(1)
        peer.wait_for_close()

    assert failure_kind(ask(serve(script))) is kind


def test_a_reset_is_a_failure(serve):
    def script(peer):
        peer.request()
        peer.reset()

    assert failure_kind(ask(serve(script))) is FailureKind.RESET


def test_a_server_that_answers_without_reading_is_heard(serve):
    def script(peer):
        peer.head()
        peer.send(answer(status='413 Too Large', body=b''))

    assert ask(serve(script), body=b'x' * 10_000).status == 413


@pytest.mark.parametrize('sent', [b'', b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'], ids=['head', 'body'])
def test_an_answer_that_does_not_come_is_a_failure_after_the_timeout(serve, sent):
    def script(peer):
        peer.request()
        peer.send(sent)
        peer.wait_for_close()

    assert failure_kind(ask(serve(script), timeout=2 * TICK)) is FailureKind.TIMEOUT


def test_an_answer_that_drips_for_ever_ends_with_the_timeout(serve):
    def script(peer):
        peer.request()
        peer.drip(answer(body=b'x' * 100_000))

    begun = time.monotonic()
    assert failure_kind(ask(serve(script), timeout=4 * TICK)) is FailureKind.TIMEOUT
    assert time.monotonic() - begun < 100 * TICK


def test_nobody_there_is_a_failure(serve):
    server = serve(answering())
    server.close()
    assert failure_kind(ask(server)) is FailureKind.CONNECT


@pytest.mark.filterwarnings('ignore:please use dns.resolver:DeprecationWarning')
def test_a_name_that_nobody_knows_is_a_failure():
    result = exchange(
        'http://no-such-host.invalid/',
        headers={},
        body=None,
        options=TransportOptions(),
        timeout=10.0,
    )
    assert failure_kind(result) in (FailureKind.DNS, FailureKind.CONNECT_TIMEOUT)


@pytest.mark.parametrize('limit', ['timeout', 'connect_timeout'])
def test_a_tls_handshake_that_does_not_end_is_a_failure_of_connecting(serve, limit):
    # Speaks no TLS, and says nothing.
    server = serve(lambda peer: peer.wait_for_close())
    result = exchange(
        f'https://localhost:{server.port}/',
        headers={},
        body=None,
        options=TransportOptions(connect_timeout=2 * TICK if limit == 'connect_timeout' else 100 * TICK),
        timeout=2 * TICK if limit == 'timeout' else 100 * TICK,
    )
    assert failure_kind(result) is FailureKind.CONNECT_TIMEOUT


def test_an_answer_may_take_longer_than_connecting(serve):
    def script(peer):
        peer.request()
        eventlet.sleep(4 * TICK)
        peer.send(answer(body=b'late'))

    assert ask(serve(script), connect_timeout=2 * TICK).body == b'late'


def test_certificates_are_checked_by_the_bundle(serve, tmp_path):
    authority = trustme.CA()
    context = green_ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert('localhost').configure_cert(context)
    server = serve(answering(answer(body=b'ok')), context)
    assert failure_kind(ask(server)) is FailureKind.TLS
    bundle = tmp_path / 'ca.pem'
    authority.cert_pem.write_to_path(str(bundle))
    assert ask(server, ca_bundle=str(bundle)).body == b'ok'
    assert failure_kind(ask(server, ca_bundle=str(tmp_path / 'none'))) is FailureKind.TLS


def test_a_proxy_gets_the_request_with_its_own_credentials(serve):
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(answer(body=b'ok'))

    proxy = serve(script)
    result = exchange(
        'http://acme.example/a',
        headers=HEADERS,
        body=BODY,
        options=TransportOptions(proxy=f'http://user:hidden@localhost:{proxy.port}'),
        timeout=100 * TICK,
    )
    assert result.body == b'ok'
    assert seen[0].line == 'POST http://acme.example/a HTTP/1.1'
    assert seen[0].headers['Proxy-Authorization'].startswith('Basic ')


@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_a_proxy_that_refuses_is_a_failure_of_the_proxy(serve, scheme):
    def script(peer):
        peer.head()
        peer.send(answer(status='407 Proxy Authentication Required', body=b''))

    proxy = serve(script)
    result = exchange(
        f'{scheme}://acme.example/a',
        headers=HEADERS,
        body=BODY,
        options=TransportOptions(proxy=f'http://user:hidden@localhost:{proxy.port}'),
        timeout=100 * TICK,
    )
    assert failure_kind(result) is FailureKind.PROXY
    assert result.status == 407


@pytest.mark.parametrize('value', ['hidden\r\nX: y', 'hidden \N{SNOWMAN}'])
def test_a_header_that_cannot_be_sent_is_a_failure_without_its_value(serve, value):
    server = serve(answering(then=lambda peer: None))
    assert ask(server, headers={'Authorization': value}) == Failure(
        FailureKind.REQUEST, 'a header cannot be sent'
    )


def test_a_timeout_of_somebody_else_passes_and_closes_the_connection(serve):
    closed = []

    def script(peer):
        peer.request()
        peer.wait_for_close()
        closed.append(True)

    server = serve(script)
    with pytest.raises(eventlet.Timeout) as caught, eventlet.Timeout(2 * TICK) as theirs:
        ask(server)
    assert caught.value is theirs
    with eventlet.Timeout(100 * TICK):
        while not closed:
            eventlet.sleep(TICK / 10)


def test_a_kill_closes_the_connection(serve):
    asked, closed = [], []

    def script(peer):
        asked.append(peer.request())
        peer.wait_for_close()
        closed.append(True)

    thread = eventlet.spawn(ask, serve(script))
    with eventlet.Timeout(100 * TICK):
        while not asked:
            eventlet.sleep(TICK / 10)
        thread.kill()
        while not closed:
            eventlet.sleep(TICK / 10)


# --- sessions for the REST client --------------------------------------------------------------------


def test_a_session_has_our_proxy_and_certificates_and_reads_nothing_from_the_environment(monkeypatch):
    for name in ('HTTPS_PROXY', 'HTTP_PROXY', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'):
        monkeypatch.setenv(name, 'http://elsewhere')
    session = new_session(
        TransportOptions(proxy='http://proxy:3128', ca_bundle='/ca.pem', client_certificate=('/a', '/b'))
    )
    merged = session.merge_environment_settings('https://acme.my.salesforce.com', {}, None, None, None)
    assert merged['proxies'] == {'http': 'http://proxy:3128', 'https': 'http://proxy:3128'}
    assert (merged['verify'], merged['cert']) == ('/ca.pem', ('/a', '/b'))
    plain = new_session(TransportOptions())
    merged = plain.merge_environment_settings('https://acme.my.salesforce.com', {}, None, None, None)
    assert (dict(merged['proxies']), merged['verify'], merged['cert']) == ({}, True, None)


def test_a_session_carries_no_token_to_where_an_answer_points(serve):
    elsewhere = serve(answering())

    def script(peer):
        peer.head()
        peer.send(
            answer(status='302 Found', headers=[f'Location: http://localhost:{elsewhere.port}/'], body=b'')
        )

    server = serve(script)
    with new_session(TransportOptions()) as session, pytest.raises(requests.TooManyRedirects):
        session.get(f'http://localhost:{server.port}/', headers=HEADERS, timeout=200 * TICK)
    assert elsewhere.connections == 0
