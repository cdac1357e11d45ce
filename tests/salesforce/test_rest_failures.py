"""What failures of REST say, and whether they last. From real exceptions wherever one can be had."""

import socket

import pytest
import requests
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceMalformedRequest

from nameko_salesforce.rest_failures import codes_of, is_temporary, words_of
from nameko_salesforce.rest_session import NoConnectionFree
from tests.bayeux.sockets.raw_server import answer, answering

URL = 'http://127.0.0.1/services/data/v67.0/query/?q=secret'


def failed(url, **limits):
    with pytest.raises(requests.RequestException) as caught:
        requests.get(url, timeout=5, **limits)
    return caught.value


@pytest.fixture
def closed_port():
    """A port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        yield sock.getsockname()[1]


def test_a_refused_connection_is_told_with_the_peer_and_without_the_url(closed_port):
    error = failed(f'http://127.0.0.1:{closed_port}/services/data/?q=secret')
    assert words_of(error) == f'no connection: 127.0.0.1:{closed_port}: Connection refused'
    assert is_temporary(error)


def test_a_body_that_cannot_be_unpacked_is_told_of_without_words_of_the_stream(serve):
    server = serve(answering(answer(headers=['Content-Encoding: gzip'], body=b'xyz')))
    said = words_of(failed(f'http://127.0.0.1:{server.port}/?q=secret'))
    assert said.startswith('answer holds no reply to the request: ')
    assert said.endswith('incorrect header check')


# eventlet's resolver, of dnspython.
@pytest.mark.filterwarnings('ignore:please use dns.resolver')
def test_an_unknown_host_is_told():
    assert words_of(failed('http://nowhere.invalid/?q=secret')).startswith(
        'host name not resolved: nowhere.invalid'
    )


def test_a_limit_of_our_own_is_told_in_its_own_words():
    error = NoConnectionFree('not sent: 10 other requests')
    assert (words_of(error), is_temporary(error)) == ('not sent: 10 other requests', True)


def test_what_salesforce_says_is_told_in_one_line_with_its_codes():
    content = [
        {'errorCode': 'INVALID_FIELD', 'message': '\nSELECT x\n  ^\nNo such column'},
        {'errorCode': 'OTHER'},
    ]
    error = SalesforceMalformedRequest(URL, 400, 'PushTopic', content)
    assert words_of(error) == 'INVALID_FIELD: SELECT x ^ No such column; OTHER'
    assert codes_of(error) == ['INVALID_FIELD', 'OTHER']


@pytest.mark.parametrize('content', ['<html>', b'', {}, [], ['x'], None])
def test_an_answer_without_words_of_salesforce_is_told_by_its_status(content):
    error = SalesforceGeneralError(URL, 502, 'PushTopic', content)
    assert (words_of(error), codes_of(error), is_temporary(error)) == ('HTTP status 502', [], True)


def deep():
    made = []
    for _ in range(100_000):
        made = [made]
    return made


def test_words_of_any_length_and_shape_are_told_in_a_line():
    content = [{'errorCode': deep(), 'message': deep()}, {'errorCode': 'A', 'message': 'b ' * 10**6}]
    error = SalesforceMalformedRequest(URL, 400, 'PushTopic', content)
    assert codes_of(error) == ['A']
    assert words_of(error) == ('A: ' + 'b ' * 10**6)[:500]


@pytest.mark.parametrize(
    ('status', 'code', 'temporary'),
    [
        (400, 'INVALID_FIELD', False),
        (400, 'UNABLE_TO_LOCK_ROW', True),
        (400, 'QUERY_TIMEOUT', True),
        (401, 'INVALID_SESSION_ID', True),
        (403, 'INSUFFICIENT_ACCESS', False),
        (403, 'REQUEST_LIMIT_EXCEEDED', True),
        (403, 'REQUEST_RUNNING_TOO_LONG', True),
        (404, 'NOT_FOUND', False),
        (408, 'x', True),
        (410, 'GONE', False),
        (429, 'x', True),
        (500, 'UNKNOWN_EXCEPTION', True),
        (503, 'SERVER_UNAVAILABLE', True),
    ],
)
def test_what_another_try_can_cure_is_temporary(status, code, temporary):
    error = SalesforceGeneralError(URL, status, 'PushTopic', [{'errorCode': code, 'message': 'm'}])
    assert is_temporary(error) is temporary


def test_a_header_that_cannot_be_sent_is_not_repeated():
    with pytest.raises(requests.exceptions.InvalidHeader) as caught:
        requests.get('http://127.0.0.1:1', headers={'Authorization': 'Bearer secret\nx'})
    assert 'secret' not in words_of(caught.value)
