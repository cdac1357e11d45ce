"""Requests that are longer than anybody should send, each to a fake of its own whose memory is looked at."""

import re
import socket
import time
import zlib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fake_salesforce.client import start_fake

MIB = 2**20
FORM = 'application/x-www-form-urlencoded'
PLACES = {
    '/cometd/67.0': 'application/json',
    '/services/oauth2/token': FORM,
    '/services/Soap/u/64.0': 'text/xml',
    '/services/data/v67.0/sobjects/Contact/': 'application/json',
    '/services/async/67.0/job': 'application/json',
    '/_fake/settings': 'application/json',
    '/_fake/seed': 'application/json',
}
# What it may grow by: the 64 MiB that it reads of one body, and the interpreter's habits; 100 MiB are sent.
GROWTH = 85 * MIB


@pytest.fixture(scope='module')
def fake():
    with start_fake() as fake:
        yield fake


def peak(fake):
    status = Path(f'/proc/{fake.pid}/status').read_text()
    return int(re.search(r'VmHWM:\s+(\d+)', status)[1]) * 1024


def ask(fake, head, pieces, patience=20.0):
    """Send a head and pieces; the status. None: closed without one, or more is waited for."""
    place = urlsplit(fake.url)
    with socket.create_connection((place.hostname, place.port), timeout=patience) as sock:
        sock.sendall(head.replace(b'HOST', place.netloc.encode()))
        answer = b''
        with suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
            for piece in pieces:
                sock.sendall(piece)
        with suppress(ConnectionResetError, TimeoutError):
            answer = sock.recv(65_536)
    return int(answer.split(b' ', 2)[1]) if answer else None


def head(path, *lines, method='POST'):
    kind = PLACES.get(path, 'application/json')
    return '\r\n'.join(
        [
            f'{method} {path} HTTP/1.1',
            'Host: HOST',
            f'Content-Type: {kind}',
            'Connection: close',
            *lines,
            '',
            '',
        ]
    ).encode()


def signed(fake):
    """Headers of a user, so that a body is looked at."""
    token = fake.issue_token()
    return f'Authorization: Bearer {token}', f'X-SFDC-Session: {token}'


def is_well(fake):
    body = b'[{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"]}]'
    return ask(fake, head('/cometd/67.0', f'Content-Length: {len(body)}'), [body]) == 200


def packed(size, form):
    packer = zlib.compressobj(9, wbits=form)
    zeros = b' ' * MIB
    return b''.join([*(packer.compress(zeros) for _ in range(size // MIB)), packer.flush()])


BOMBS = {'gzip': packed(300 * MIB, 31), 'deflate': packed(300 * MIB, 15)}


@pytest.mark.parametrize('path', PLACES)
def test_a_body_of_100_mib_is_refused_and_not_kept(fake, path):
    assert is_well(fake)
    before = peak(fake)
    status = ask(fake, head(path, f'Content-Length: {100 * MIB}'), [b' ' * 65_536] * 1600)
    assert status in (None, 400, 413, 500)
    chunk = b'10000\r\n' + b' ' * 65_536 + b'\r\n'
    status = ask(fake, head(path, 'Transfer-Encoding: chunked'), [chunk] * 1600)
    assert status in (None, 400, 413, 500)
    assert is_well(fake)
    assert peak(fake) - before < GROWTH


@pytest.mark.parametrize('path', PLACES)
@pytest.mark.parametrize('coding', ['gzip', 'deflate'])
def test_a_body_that_unpacks_to_300_mib_is_refused_and_not_kept(fake, path, coding):
    assert is_well(fake)
    before = peak(fake)
    body = BOMBS[coding]
    lines = (*signed(fake), f'Content-Encoding: {coding}', f'Content-Length: {len(body)}')
    status = ask(fake, head(path, *lines), [body])
    assert status in (None, 400, 413, 500)
    assert is_well(fake)
    assert peak(fake) - before < GROWTH


@pytest.mark.parametrize('path', PLACES)
@pytest.mark.parametrize(
    'body',
    [
        b'[' * MIB,
        b'{"a":' * 200_000,
        b'[' * 500_000 + b']' * 500_000,
        b'<a>' * 300_000,
        b'{"a": NaN, "a": Infinity, "b": 1e999, "c": "\\ud800"}',
        b'9' * 5000,
        b'a=b&' * 250_000,
    ],
    ids=['open', 'mappings', 'closed', 'elements', 'numbers', 'digits', 'fields'],
)
def test_a_body_of_any_depth_is_refused(fake, path, body):
    begun = time.monotonic()
    status = ask(fake, head(path, *signed(fake), f'Content-Length: {len(body)}'), [body])
    # A fault of SOAP has 500, and so has CometD's answer to what holds no message.
    faults = (500,) if path.startswith(('/cometd', '/services/Soap')) else ()
    assert status in (400, 413, 415, *faults)
    assert is_well(fake)
    assert time.monotonic() - begun < 10


CHUNKED = head('/cometd/67.0', 'Transfer-Encoding: chunked')
BOUNDED = pytest.mark.skipif(
    tuple(map(int, version('aiohttp').split('.')[:2])) < (3, 14),
    reason='earlier ones keep any number of headers',
)


@pytest.mark.parametrize(
    ('start', 'piece'),
    [
        pytest.param(b'POST /cometd HTTP/1.1\r\n', b'A: b\r\n' * 1000, marks=BOUNDED),
        (b'POST /cometd HTTP/1.1\r\nA: ', b'b' * 6000),
        (b'GET /', b'a' * 6000),
        (b'', b'\r\n' * 3000),
        (CHUNKED, b'1;' + b'a' * 6000),
        pytest.param(CHUNKED + b'0\r\n', b'A: b\r\n' * 1000, marks=BOUNDED),
    ],
    ids=['headers', 'one header', 'line', 'empty lines', 'extension', 'trailers'],
)
def test_a_request_without_an_end_is_refused_and_not_kept(fake, start, piece):
    assert is_well(fake)
    before = peak(fake)
    assert ask(fake, start, [piece] * 10_000, patience=0.5) in (None, 400, 413, 431)
    assert is_well(fake)
    assert peak(fake) - before < GROWTH
