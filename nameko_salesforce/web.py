"""HTTP for an account: one bounded exchange for logins, and sessions for the REST client. Floor 3.

The one place where exceptions of the network end: an exchange gives an answer or a `Failure`. It uses
green sockets by import, as the streaming transport does (`bayeux/route.py`), so that a login is green
whether or not the process is patched, its deadline covers names and TLS, and nothing is read from the
environment. Never follows a redirect, never retries, never logs.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import eventlet
import requests
from requests.adapters import HTTPAdapter

from nameko_salesforce.bayeux.answers import pieces, retry_after
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.faults import failure_of
from nameko_salesforce.bayeux.outgoing import is_sendable
from nameko_salesforce.bayeux.response import Response, ResponseReader
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.bayeux.transport import TransportOptions
from nameko_salesforce.bayeux.turns import receiving
from nameko_salesforce.refusals import hide

__all__ = ['Answer', 'SystemStoreAdapter', 'exchange', 'new_session', 'what_failed']

# Bytes. Answers to logins have less than ten thousand.
_BODY_LIMIT = 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, of any status.

    Attributes:
        reason: as the server sent it: of any length, and with what a terminal would obey.
        retry_after: seconds that the header asks for, else 0.
    """

    status: int
    reason: str
    body: bytes
    retry_after: float = 0.0

    def as_failure(self, secrets: Iterable[str] = ()) -> Failure:
        """Without the body: a page of error may repeat the request.

        Args:
            secrets: of the request, which its reason phrase may repeat.
        """
        detail = hide(f'{self.status} {self.reason}', secrets)[:100]
        return Failure(FailureKind.STATUS, detail, self.status, self.retry_after)


def exchange(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    options: TransportOptions,
    timeout: float,
) -> Answer | Failure:
    """POST `body`, or GET where there is none.

    Args:
        headers: may hold secrets; no failure repeats one.
        options: proxy, certificates and `connect_timeout` (seconds).
        timeout: seconds for all of it.
    Raises:
        LocalError: a wrong URL or proxy. Timeouts of others and GreenletExit pass. Nothing stays open.
    """
    route = Route(
        url, proxy=options.proxy, ca_bundle=options.ca_bundle, client_certificate=options.client_certificate
    )
    head = _request_head(route, headers, body)
    if head is None:
        # Not which: its text may be a secret.
        return Failure(FailureKind.REQUEST, 'a header cannot be sent')
    sock = None
    timers = eventlet.Timeout(timeout), eventlet.Timeout(min(options.connect_timeout, timeout))
    try:
        sock = route.open(options.connect_timeout)
        timers[1].cancel()
        # A server that refuses a request early has answered before it was sent completely.
        with contextlib.suppress(ConnectionError):
            sock.sendall(head + (body or b''))
        return _answer(ResponseReader(receiving(sock)).response(), route)
    except eventlet.Timeout as error:
        if error not in timers:
            raise
        return failure_of(TimeoutError('timed out'), connecting=sock is None, peer=route.peer)
    except Exception as error:
        return what_failed(error, connecting=sock is None, peer=route.peer)
    finally:
        for timer in timers:
            timer.cancel()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()


def _request_head(route: Route, headers: Mapping[str, str], body: bytes | None) -> bytes | None:
    fields = {'Host': route.host_header, 'Connection': 'close', **headers}
    if body is not None:
        fields['Content-Length'] = str(len(body))
    if not all(is_sendable(name, value) for name, value in fields.items()):
        return None
    lines = [f'{"GET" if body is None else "POST"} {route.target} HTTP/1.1']
    lines += [f'{name}: {value}' for name, value in fields.items()]
    return ('\r\n'.join(lines) + f'\r\n{route.extra_head}\r\n').encode('latin-1')


def _answer(response: Response, route: Route) -> Answer | Failure:
    parts = []
    size = 0
    for piece in pieces(response):
        parts.append(piece)
        size += len(piece)
        if size > _BODY_LIMIT:
            return Failure(FailureKind.TOO_LARGE, f'{route.peer}: an answer above {_BODY_LIMIT} bytes')
    body = b''.join(parts)
    wanted = retry_after(response.header('retry-after'), response.header('date'))
    answer = Answer(response.status, response.reason, body, wanted)
    if answer.status == 407 and route.absolute:
        return Failure(
            FailureKind.PROXY,
            hide(route.without_secrets(f'{route.peer}: 407 {answer.reason}'), ())[:200],
            407,
        )
    return answer


def what_failed(error: BaseException, *, connecting: bool, peer: str) -> Failure:
    """The failure of an exchange that is no part of a stream: see `failure_of`."""
    failure = failure_of(error, connecting=connecting, peer=peer)
    if failure.kind is FailureKind.MALFORMED:
        # A body that cannot be unpacked; its words would speak of Bayeux messages.
        return replace(failure, kind=FailureKind.NO_REPLY)
    return failure


class SystemStoreAdapter(HTTPAdapter):
    """Trusts what the system trusts, as login and stream do, where requests would trust certifi's list.

    A bundle (`verify`) takes the place of the system's store. No TLS context is shared by connections:
    urllib3 would add the bundle and the client certificate of one call to what all others trust and show.
    """

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        # Some versions of requests put a context here that holds certifi's list; before 2.32 nobody asks.
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        pool.pop('ssl_context', None)
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # requests is
        if verify is True:
            # Where no certificates are named urllib3 loads the system's, for each connection.
            conn.ca_certs = None


def new_session(options: TransportOptions) -> requests.Session:
    """A session for the REST client: our proxy and certificates, and nothing from the environment.

    Without a bundle the system's store is trusted. An answer that redirects raises
    `requests.TooManyRedirects`: a token must not be carried to where an answer points. Opens nothing until
    it is used.
    """
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.mount('https://', SystemStoreAdapter())
    if options.proxy is not None:
        session.proxies = {'http': options.proxy, 'https': options.proxy}
    if options.ca_bundle is not None:
        session.verify = options.ca_bundle
    if options.client_certificate is not None:
        session.cert = options.client_certificate
    return session
