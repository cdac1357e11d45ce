"""The table from exceptions to failures, one test for each row."""

import errno
import http.client
import os
import socket
import ssl
import zlib

import pytest

from nameko_salesforce.bayeux.failures import FailureKind
from nameko_salesforce.bayeux.faults import ProxyRefused, Unusable, failure_of
from nameko_salesforce.bayeux.response import BadResponse, NoResponse, Truncated
from nameko_salesforce.bayeux.watchdog import Expired, Watchdog

PEER = 'na1.example.com:443'


def ssl_error(kind, reason):
    error = kind(1, f'[SSL: {reason}] text (_ssl.c:1)')
    error.reason = reason
    return error


def untrusted():
    error = ssl.SSLCertVerificationError(1, 'certificate verify failed')
    error.verify_message = 'self-signed certificate'
    return error


CONNECTING = [
    (Expired(Watchdog(1.0)), FailureKind.CONNECT_TIMEOUT, 'timed out'),
    (TimeoutError('timed out'), FailureKind.CONNECT_TIMEOUT, 'timed out'),
    (OSError(errno.ETIMEDOUT, 'ETIMEDOUT'), FailureKind.CONNECT_TIMEOUT, os.strerror(errno.ETIMEDOUT)),
    (socket.gaierror(socket.EAI_NONAME, 'Name unknown'), FailureKind.DNS, 'Name unknown'),
    (UnicodeError('label too long'), FailureKind.DNS, 'UnicodeError: label too long'),
    (OSError(errno.ECONNREFUSED, 'ECONNREFUSED'), FailureKind.CONNECT, 'Connection refused'),
    (OSError(errno.EHOSTUNREACH, 'EHOSTUNREACH'), FailureKind.CONNECT, os.strerror(errno.EHOSTUNREACH)),
    (OSError(errno.EMFILE, 'EMFILE'), FailureKind.CONNECT, 'Too many open files'),
    (ConnectionResetError(errno.ECONNRESET, 'x'), FailureKind.CONNECT, 'Connection reset by peer'),
    (RuntimeError('a resolver of its own kind'), FailureKind.CONNECT, 'a resolver of its own kind'),
    (untrusted(), FailureKind.TLS, 'self-signed certificate'),
    (ssl_error(ssl.SSLError, 'WRONG_VERSION_NUMBER'), FailureKind.TLS, 'WRONG_VERSION_NUMBER'),
    (ssl_error(ssl.SSLEOFError, 'UNEXPECTED_EOF'), FailureKind.TLS, 'UNEXPECTED_EOF'),
    (Unusable('ca_bundle: no such file'), FailureKind.TLS, 'ca_bundle: no such file'),
    (ProxyRefused(407, '407 Authentication Required'), FailureKind.PROXY, '407 Authentication Required'),
]
EXCHANGING = [
    (Expired(Watchdog(1.0)), FailureKind.TIMEOUT, 'timed out'),
    (OSError(errno.ETIMEDOUT, 'ETIMEDOUT'), FailureKind.TIMEOUT, os.strerror(errno.ETIMEDOUT)),
    (ConnectionResetError(errno.ECONNRESET, 'x'), FailureKind.RESET, 'Connection reset by peer'),
    (BrokenPipeError(errno.EPIPE, 'x'), FailureKind.RESET, 'Broken pipe'),
    (EOFError(), FailureKind.RESET, 'EOFError'),
    (http.client.RemoteDisconnected('x'), FailureKind.RESET, 'closed without an answer'),
    (ssl_error(ssl.SSLEOFError, 'UNEXPECTED_EOF'), FailureKind.RESET, 'UNEXPECTED_EOF'),
    (ssl_error(ssl.SSLZeroReturnError, 'CLOSED'), FailureKind.RESET, 'CLOSED'),
    (ssl_error(ssl.SSLError, 'CERTIFICATE_REQUIRED'), FailureKind.TLS, 'CERTIFICATE_REQUIRED'),
    (ssl_error(ssl.SSLError, 'TLSV1_ALERT_UNKNOWN_CA'), FailureKind.TLS, 'TLSV1_ALERT_UNKNOWN_CA'),
    (
        ssl_error(ssl.SSLError, 'DECRYPTION_FAILED_OR_BAD_RECORD_MAC'),
        FailureKind.RESET,
        'DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
    ),
    (Truncated(), FailureKind.TRUNCATED, 'the answer ended early'),
    (NoResponse(), FailureKind.RESET, 'closed without an answer'),
    (BadResponse('no HTTP status line'), FailureKind.NOT_HTTP, 'no HTTP status line'),
    (http.client.IncompleteRead(b'secret'), FailureKind.TRUNCATED, 'the answer ended early'),
    (zlib.error('incorrect header check'), FailureKind.MALFORMED, 'incorrect header check'),
    (http.client.BadStatusLine('secret'), FailureKind.NOT_HTTP, 'no HTTP status line'),
    (http.client.LineTooLong('header line'), FailureKind.NOT_HTTP, 'got more than 65536 bytes'),
    (http.client.HTTPException('got more than 100 headers'), FailureKind.NOT_HTTP, 'more than 100 headers'),
    (http.client.UnknownProtocol('secret'), FailureKind.NOT_HTTP, 'no HTTP status line'),
    (ValueError('a header that no parser likes'), FailureKind.NOT_HTTP, 'no parser likes'),
]
ROWS = [(True, *row) for row in CONNECTING] + [(False, *row) for row in EXCHANGING]


@pytest.mark.parametrize(
    ('connecting', 'error', 'kind', 'reason'),
    ROWS,
    ids=[f'{"connecting" if row[0] else "exchanging"}-{row[1]!r:.40}' for row in ROWS],
)
def test_each_exception_has_its_failure_that_names_peer_and_reason(connecting, error, kind, reason):
    failure = failure_of(error, connecting=connecting, peer=PEER)
    assert failure.kind is kind
    assert failure.detail.startswith(f'{PEER}: ')
    assert reason in failure.detail
    assert 'secret' not in failure.detail


def test_the_status_of_a_proxy_is_kept():
    assert failure_of(ProxyRefused(502, '502'), connecting=True, peer=PEER).status == 502
    assert failure_of(ProxyRefused(None, 'x'), connecting=True, peer=PEER).status is None


def test_a_detail_is_short():
    assert len(failure_of(OSError('x' * 1000), connecting=False, peer=PEER).detail) == 200


def test_a_detail_holds_no_control_characters():
    failure = failure_of(ProxyRefused(502, '502 \x1b[2J\r\nX'), connecting=True, peer=PEER)
    assert failure.detail == f'{PEER}: 502  [2J X'
