"""Answers of any length: kept within bounds, while the other green threads go on."""

import gzip
import json
import os
import stat
import subprocess
import sys
import zlib

import eventlet
import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError

from nameko_salesforce.api import AnswerTooLong
from nameko_salesforce.rest_answers import OVERHEAD_LIMIT, REFUSAL_LIMIT
from nameko_salesforce.rest_session import RestSession
from tests.bayeux.sockets.raw_server import SECONDS, TICK, answer, chunks
from tests.salesforce.long_answers import CASES, MIB, endless
from tests.salesforce.peers import GOOD, refused


@pytest.fixture
def session(org):
    session = RestSession(org.tokens, requests.Session(), request_timeout=SECONDS, answer_limit=MIB)
    yield session
    session.close()


CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'


def packed(body, coding='gzip', status='200 OK'):
    return answer(body=body, status=status, headers=[f'Content-Encoding: {coding}'])


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


# --- what is kept -----------------------------------------------------------------------------------

TEXT = b'{"LastName": "Lovelace"}' * 9000


@pytest.mark.parametrize(
    ('said', 'body'),
    [
        (answer(body=TEXT), TEXT),
        (chunks(*[TEXT[place : place + 1000] for place in range(0, len(TEXT), 1000)]), TEXT),
        (b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n' + TEXT, TEXT),
        (packed(gzip.compress(TEXT)), TEXT),
        (packed(gzip.compress(TEXT), 'X-GZIP'), TEXT),
        (packed(gzip.compress(TEXT) + gzip.compress(b'more') + b'\0' * 8), TEXT + b'more'),
        (packed(gzip.compress(b'a' * 2**17)), b'a' * 2**17),
        (packed(zlib.compress(TEXT), 'deflate'), TEXT),
        (packed(raw_deflate(TEXT), 'deflate'), TEXT),
        (packed(b''), b''),
        (packed(b'{}', 'utf-8'), b'{}'),
        (answer(body=b'', status='204 No Content'), b''),
        (answer(body=b'a' * MIB), b'a' * MIB),
        (packed(gzip.compress(b'a' * MIB)), b'a' * MIB),
    ],
    ids=[
        'plain', 'chunked', 'to the end', 'gzip', 'x-gzip', 'members', 'full steps', 'zlib', 'deflate',
        'nothing packed', 'no coding', 'no content', 'the limit', 'the limit packed',
    ],
)  # fmt: skip
def test_an_answer_within_the_limit_is_whole(org, session, said, body):
    org.answers = [lambda peer: (peer.send(said), peer.sock.close() if b'close' in said[:40] else None)]
    response = session.get('https://x/a')
    assert response.content == body
    # Again, from memory.
    assert b''.join(response.iter_content(1000)) == body


@pytest.mark.parametrize(
    'said',
    [
        answer(body=b'a' * (MIB + 1)),
        chunks(*[b'a' * 1000] * 1100),
        packed(gzip.compress(b'a' * (MIB + 1))),
        packed(gzip.compress(b'a' * 700_000) * 2),
        packed(gzip.compress(b'') * 60_000),
        packed(zlib.compress(b'a' * 9 * MIB), 'deflate'),
        answer(body=b'a' * (MIB + 1), status='302 Found', headers=['Location: /b']),
    ],
    ids=['length', 'chunked', 'gzip', 'members', 'empty members', 'deflate', 'redirect'],
)
def test_a_longer_one_ends_with_an_error_that_says_so_and_the_next_request_is_served(org, session, said):
    org.answers = [said]
    with pytest.raises(AnswerTooLong, match=f'an answer above {MIB} bytes') as caught:
        session.get('https://x/a')
    assert isinstance(caught.value, requests.exceptions.RequestException)
    assert caught.value.request.headers['Authorization'] == '***'
    assert session.get('https://x/b').json() == {'ok': True}


@pytest.mark.parametrize(
    'said',
    [
        packed(gzip.compress(TEXT)[:-9]),
        packed(b'\x1f\x8b'),
        packed(b'{"ok": true}'),
        packed(gzip.compress(TEXT) + b'rest'),
        packed(b'{"ok": true}', 'deflate'),
        packed(b'x', 'br'),
        packed(gzip.compress(gzip.compress(TEXT)), 'gzip, gzip'),
    ],
    ids=['cut', 'two bytes', 'plain', 'something behind it', 'plain for deflate', 'br', 'twice'],
)
def test_one_that_cannot_be_unpacked_ends_with_an_error_of_requests(org, session, said):
    org.answers = [said]
    with pytest.raises(ContentDecodingError):
        session.get('https://x/a')
    assert session.get('https://x/b').json() == {'ok': True}


def test_one_that_breaks_off_ends_with_an_error_of_requests(org, session):
    org.answers = [lambda peer: (peer.send(GOOD[:-1]), peer.sock.close())]
    with pytest.raises(ChunkedEncodingError):
        session.get('https://x/a')


def test_one_that_stops_ends_with_an_error_of_requests(org, session):
    org.answers = [lambda peer: (peer.send(GOOD[:-1]), peer.wait_for_close())]
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get('https://x/a', timeout=(SECONDS, 2 * TICK))


def test_a_streamed_one_is_that_of_a_socket(org, session):
    org.answers = [lambda peer: (peer.send(GOOD[:-1]), peer.wait_for_close())]
    with session.get('https://x/a', stream=True) as response:
        assert stat.S_ISSOCK(os.fstat(response.raw.fileno()).st_mode)


@pytest.mark.parametrize(
    'said',
    [
        answer(body=b'', status='204 No Content'),
        answer(body=b''),
        CHUNKED + b'0\r\n\r\n',
        answer(body=b'moved', status='302 Found'),
        answer(body=b'no', status='500 Internal Server Error'),
    ],
    ids=['204', 'empty', 'empty chunks', '302', '500'],
)
def test_a_connection_serves_again_after_any_whole_answer(org, session, said):
    org.answers = [said]
    session.patch('https://x/a')
    assert session.get('https://x/b').json() == {'ok': True}
    assert org.server.connections == 1


def test_what_can_be_unpacked_is_asked_for(org, session):
    session.get('https://x/a')
    assert org.requests[0].headers['Accept-Encoding'] == 'gzip, deflate'


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'streamed'])
@pytest.mark.parametrize('status', ['401 Unauthorized', '400 Bad Request', '503 Service Unavailable'])
def test_of_a_refusal_the_beginning_is_kept(org, session, status, stream):
    session.answer_limit = 9 * MIB
    org.answers = [endless(f'HTTP/1.1 {status}\r\n\r\n'.encode(), b'no')]
    response = session.get('https://x/a', stream=stream)
    assert len(response.content) == REFUSAL_LIMIT
    assert set(response.content) == set(b'no')
    assert session.get('https://x/b').json() == {'ok': True}


def test_a_refusal_that_is_nested_too_deep_to_read_is_a_refusal_as_it_is(org, session):
    body = b'[' * 100_000
    org.answers = [refused(body)]
    response = session.get('https://x/a')
    assert (response.status_code, response.content) == (401, body)
    assert org.logins == 1


def test_a_body_that_is_streamed_is_the_callers_to_bound(org, session):
    org.answers = [answer(body=b'a' * (OVERHEAD_LIMIT + 5))]
    with session.get('https://x/a', stream=True) as response:
        assert sum(map(len, response.iter_content(2**16))) == OVERHEAD_LIMIT + 5


# --- what is no body --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('head', 'part', 'error'),
    [
        (b'', b'HTTP/1.1 100 Continue\r\n\r\n', AnswerTooLong),
        (b'', b'HTTP/1.1 100 Continue\r\nA: b\r\n\r\n', AnswerTooLong),
        (b'HTTP/1.1 200 OK\r\n', b'A: b\r\n', requests.exceptions.ConnectionError),
        (b'HTTP/1.1 200 OK\r\nA: ', b'b' * 1000, requests.exceptions.ConnectionError),
        (b'HTTP/1.1 200 ', b'OK' * 1000, requests.exceptions.ConnectionError),
        (CHUNKED + b'0\r\n', b'A: b\r\n', AnswerTooLong),
        (CHUNKED + b'1;', b'a' * 1000, requests.exceptions.RequestException),
        (CHUNKED + b'2\r\nok\r\n0', b'0' * 1000, requests.exceptions.RequestException),
    ],
    ids=['100', '100 with a header', 'headers', 'one header', 'reason', 'trailers', 'extension', 'zeros'],
)
def test_an_answer_without_an_end_ends_with_an_error(org, session, head, part, error):
    org.answers = [endless(head, part)]
    with pytest.raises(error) as caught:
        session.get('https://x/a')
    assert 'token-1' not in f'{caught.value!r} {caught.value.request.headers}'
    assert session.get('https://x/b').json() == {'ok': True}


def test_an_endless_answer_to_a_proxys_tunnel_ends_with_an_error(org):
    given = requests.Session()
    given.proxies = {'https': org.url}
    org.address = 'https://acme.example'
    org.answers = [endless(b'HTTP/1.1 200 OK\r\n', b'A: b\r\n')]
    session = RestSession(org.tokens, given, request_timeout=SECONDS)
    with pytest.raises(requests.exceptions.RequestException):
        session.get('https://x/a')
    session.close()


@pytest.mark.parametrize(
    'said',
    [
        endless(b'', b'HTTP/1.1 100 Continue\r\n\r\n'),
        endless(CHUNKED + b'0\r\n', b'A: b\r\n'),
        answer(body=b'a' * MIB),
        packed(gzip.compress(b'a' * MIB)),
    ],
    ids=['head', 'trailers', 'body', 'packed'],
)
def test_other_green_threads_go_on_while_it_is_read(org, session, said):
    org.answers = [said]
    turns = []

    def turn():
        while True:
            turns.append(1)
            eventlet.sleep(0)

    other = eventlet.spawn(turn)
    try:
        session.get('https://x/a')
    except AnswerTooLong:
        pass
    finally:
        other.kill()
    # One for each 64 KiB or so.
    assert len(turns) > MIB / 2**17


# --- memory -----------------------------------------------------------------------------------------


def test_what_is_endless_or_unpacks_to_gigabytes_takes_no_memory():
    found = subprocess.run(
        [sys.executable, '-m', 'tests.salesforce.long_answers'],
        capture_output=True,
        text=True,
        timeout=SECONDS * 6,
        check=True,
    )
    told = json.loads(found.stdout)
    assert told.keys() == CASES.keys()
    assert {name: each['error'] for name, each in told.items()} == dict.fromkeys(CASES, 'AnswerTooLong')
    # The limit is 8 MiB there.
    assert {name: each['grown'] for name, each in told.items() if each['grown'] > 40 * MIB} == {}
