"""Exceptions of the network as `Failure` values: the one table. Floor 2.

Decides what kind of failure an exception is; catches nothing itself (`transport.py` does) and knows
no other part of the transport. Details name the peer and the system's reason, never a header.
"""

import http.client
import os
import re
import socket
import ssl
import zlib

from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.response import BadResponse, NoResponse, Truncated
from nameko_salesforce.bayeux.watchdog import Expired

__all__ = ['ProxyRefused', 'Unusable', 'failure_of']

_UNPRINTABLE = re.compile(r'[^\x20-\x7e\xa1-\uffff]+')
# What the peer says of a certificate in an alert.
_OF_CERTIFICATES = re.compile('CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE')


class ProxyRefused(Exception):
    """The proxy opened no tunnel.

    Attributes:
        status: its HTTP status, None if it gave none.
    """

    def __init__(self, status: int | None, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Unusable(Exception):
    """A file that the options name cannot be used for TLS."""


def failure_of(error: BaseException, *, connecting: bool, peer: str) -> Failure:
    """Name what went wrong.

    Args:
        error: what the socket, `ssl`, `response.py` or `zlib` raised, or for REST `http.client`.
        connecting: whether it came before there was a connection, TLS and tunnel included.
        peer: 'host:port', for the detail.
    Returns:
        Never `STATUS`, `EMPTY`, `NOT_JSON`, `TOO_LARGE` or `NO_REPLY`: those are no exceptions.
    """
    kind = _kind(error, connecting)
    status = error.status if isinstance(error, ProxyRefused) else None
    # A peer's words may hold what a terminal would obey.
    return Failure(kind, _UNPRINTABLE.sub(' ', f'{peer}: {_reason(error)}')[:200], status)


def _kind(error: BaseException, connecting: bool) -> FailureKind:
    # The order matters: ssl.SSLError and socket.gaierror are OSErrors, RemoteDisconnected is both a
    # ConnectionError and an HTTPException, UnicodeError is a ValueError.
    match error:
        case Expired() | TimeoutError():
            return FailureKind.CONNECT_TIMEOUT if connecting else FailureKind.TIMEOUT
        case ProxyRefused():
            return FailureKind.PROXY
        case Unusable():
            return FailureKind.TLS
        case ssl.SSLError() if not connecting and not _OF_CERTIFICATES.search(error.reason or ''):
            return FailureKind.RESET
        case ssl.SSLError() | ssl.CertificateError():
            # Also while reading: with TLS 1.3 the server judges our certificate after the handshake.
            return FailureKind.TLS
        case socket.gaierror() | UnicodeError() if connecting:
            return FailureKind.DNS
        case OSError() | EOFError() | NoResponse():
            return FailureKind.CONNECT if connecting else FailureKind.RESET
        case Truncated() | http.client.IncompleteRead():
            return FailureKind.TRUNCATED
        case zlib.error():
            return FailureKind.MALFORMED
        case _:
            # BadResponse; below requests BadStatusLine, LineTooLong, too many headers.
            return FailureKind.CONNECT if connecting else FailureKind.NOT_HTTP


def _reason(error: BaseException) -> str:
    match error:
        case Expired():
            return 'timed out'
        case ProxyRefused() | Unusable() | BadResponse():
            return str(error)
        case ssl.SSLCertVerificationError():
            return str(error.verify_message)
        case ssl.SSLError():
            return str(error.reason or error)
        case NoResponse() | http.client.RemoteDisconnected():
            return 'closed without an answer'
        case http.client.BadStatusLine() | http.client.UnknownProtocol():
            # Not its text: whatever answers there, its words are not ours to repeat.
            return 'no HTTP status line'
        case Truncated() | http.client.IncompleteRead():
            return 'the answer ended early'
        case OSError() if error.errno is not None and error.errno > 0:
            # Green sockets put the name of the number where its text should be.
            return os.strerror(error.errno)
        case OSError():
            return error.strerror or str(error)
        case _:
            return f'{type(error).__name__}: {error}' if str(error) else type(error).__name__
