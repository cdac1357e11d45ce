"""HTTP long polling for one Bayeux session: messages out, messages in, or one failure. Floor 2.

The one place that catches exceptions of the network; above it a failure is a value. Decides how
messages become requests, how long an answer may take, and when a connection may be used again.
Never retries, never follows a redirect, never reads the environment, never logs; knows no channel and
no session. Sockets are green (`route.py`), so that the hub turns while a poll is held, whether or not the
process is monkey-patched.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import eventlet.patcher

from nameko_salesforce.bayeux.answers import pieces, refusal
from nameko_salesforce.bayeux.codec import JSON, Codec
from nameko_salesforce.bayeux.cookies import Cookies
from nameko_salesforce.bayeux.decoder import MessageDecoder, Unkept
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.faults import failure_of
from nameko_salesforce.bayeux.outgoing import packed, request_head
from nameko_salesforce.bayeux.response import Response, ResponseReader
from nameko_salesforce.bayeux.route import Route
from nameko_salesforce.bayeux.turns import receiving
from nameko_salesforce.bayeux.watchdog import Expired, Watchdog

__all__ = ['Connection', 'Transport', 'TransportOptions']

# Works for descriptors above 1024, and is missing in a monkey-patched `select`.
_select = eventlet.patcher.original('select')

# A part of a request head worth hiding: a token, a cookie. Shorter ones are words.
_SECRET = 12
_CLOSED = Failure(FailureKind.RESET, 'closed on this side')

Headers = Callable[[], Mapping[str, str]]
OnMessages = Callable[[list[dict[str, Any] | Unkept]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportOptions:
    """How a transport works. The environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE, ...) is not read.

    Attributes:
        connect_timeout: seconds for DNS, TCP, proxy and TLS together.
        network_allowance: seconds, the longest pause between two messages of a body (EMP-Connector's
            `maxNetworkDelay`); time that `on_messages` takes does not count.
        message_limit: characters of one message; a longer one is reported as `Unkept`.
        request_limit: bytes that every request body stays below; Salesforce answers 413 above.
        ca_bundle: PEM file of the trusted certificates; None means those of the system.
        client_certificate: PEM file with certificate and unencrypted key, or (certificate, key).
        proxy: 'http://user:password@host:port', or None for a direct way.
        codec: writes and reads the JSON.
    """

    connect_timeout: float = 10.0
    network_allowance: float = 15.0
    message_limit: int = 16 * 2**20
    request_limit: int = 32_768
    ca_bundle: str | None = None
    client_certificate: str | tuple[str, str] | None = None
    proxy: str | None = field(default=None, repr=False)
    codec: Codec = JSON


class Transport:
    """One Bayeux session's way to one URL: its options, its cookies, its connections.

    Args:
        url: the server's Bayeux URL, http or https.
        headers: called before each request for the headers to add (Authorization). May switch green
            threads; its time is not counted. If it raises, or gives a header that cannot be
            sent, the exchange fails with `FailureKind.REQUEST`: a stream must not die of it.
        options: see `TransportOptions`.
    Raises:
        LocalError: a wrong URL or option, named; nothing was opened.
    """

    def __init__(
        self, url: str, *, headers: Headers | None = None, options: TransportOptions = TransportOptions()
    ) -> None:
        for name in ('connect_timeout', 'network_allowance'):
            seconds = getattr(options, name)
            if not isinstance(seconds, (int, float)) or not isfinite(seconds) or seconds <= 0:
                raise LocalError(f'{name}: must be a number of seconds above 0')
        for name in ('message_limit', 'request_limit'):
            if not isinstance(getattr(options, name), int) or getattr(options, name) < 1:
                raise LocalError(f'{name}: must be a whole number above 0')
        self.options = options
        self.cookies = Cookies()
        self.headers = headers
        self.route = self._route(url)

    @property
    def url(self) -> str:
        """May be replaced at any time; the next exchange of each connection goes there.

        Raises:
            LocalError: when set to a wrong URL; the former one stays.
        """
        return self.route.url

    @url.setter
    def url(self, url: str) -> None:
        if url != self.route.url:
            self.route = self._route(url)

    def connection(self) -> 'Connection':
        """A connection of its own for one lane; all of them share the cookies. Opened when first used."""
        return Connection(self)

    def forget_cookies(self) -> None:
        """Give up the server-side identity; for a new session of another user."""
        self.cookies.clear()

    def _route(self, url: str) -> Route:
        options = self.options
        return Route(
            url,
            proxy=options.proxy,
            ca_bundle=options.ca_bundle,
            client_certificate=options.client_certificate,
        )


class Connection:
    """One keep-alive connection, for one exchange at a time.

    Invariant: between exchanges `_sock` is None or has answered its last request completely. Whatever
    else happens, `_drop` closes it.

    Attributes:
        characters: of the text that the messages came in which `on_messages` is called with.
        complete: nothing follows them but the end of the exchange, which waits for nothing.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._watchdog = Watchdog(transport.options.network_allowance)
        self.characters = 0
        self.complete = False
        self._is_last = True  # of the requests of an exchange
        self._busy = False
        self._closing = False
        self._sock: Any = None
        self._reader = ResponseReader(bytes)
        self._route: Route | None = None
        self._readable: Any = None
        self._head = b''
        self._head_of: tuple[Route, dict[str, str], str | None] | None = None

    def exchange(
        self,
        messages: Sequence[Mapping[str, object]],
        *,
        read_timeout: float,
        on_messages: OnMessages,
    ) -> Failure | None:
        """Send `messages` in as few requests as the limit allows, one after the other.

        A single message above the limit goes alone; the server will refuse it (413).

        Args:
            messages: Bayeux messages; the codec must be able to encode them.
            read_timeout: seconds from the first byte sent until the head of the answer is complete, for
                each request. For a held connect: the server's timeout and the allowance.
            on_messages: called with the messages of the answers, in order, as they are decoded: those
                that one piece of a body has completed, at least one. May block: the server's time
                stands still meanwhile, and nothing more is read.
        Returns:
            None when every request was answered with 200 and a complete list; else the first failure,
            and what follows it was not sent. Messages may have been handed over before a failure.
        Raises:
            LocalError: this connection is in an exchange already; that one goes on.
            What `on_messages` raises, GreenletExit and Timeouts of others: the connection is closed.
        """
        if self._busy:
            raise LocalError('one exchange at a time on a connection')
        self._busy, self._closing = True, False
        clean = False
        try:
            bodies = self._bodies(messages)
            if isinstance(bodies, Failure):
                return bodies
            for number, body in enumerate(bodies, 1):
                self._is_last = number == len(bodies)
                failure = _CLOSED if self._closing else self._post(body, read_timeout, on_messages)
                if failure is not None:
                    return failure
            clean = True
            return None
        finally:
            self._busy = False
            self._watchdog.rest()
            if not clean or self._closing:
                self._drop()

    def close(self) -> None:
        """Close the socket, at any time. The next exchange opens another.

        A running exchange of another green thread ends with RESET in the hub's next turns; what is
        decoded already is still handed over first.
        """
        if self._busy:
            self._closing = True
            self._watchdog.hurry()
        else:
            self._drop()

    # --- one request ----------------------------------------------------------------------------

    def _post(self, request: bytes, read_timeout: float, on_messages: OnMessages) -> Failure | None:
        transport = self._transport
        route = transport.route
        failure = self._prepare(route)
        if failure is not None:
            return failure
        connecting = False
        try:
            if self._sock is None or self._route is not route or self._readable.poll(0):
                # An idle socket that is readable was closed by the server, or is out of step.
                connecting = True
                self._connect(route)
                connecting = False
            self._watch(read_timeout)
            # A server that refuses a request early has answered before it was sent completely.
            with contextlib.suppress(ConnectionError):
                self._sock.sendall(b'%b%d\r\n\r\n%b' % (self._head, len(request), request))
            response = self._reader.response()
            if response.status != 200:
                return self._refused(response, route)
            body = pieces(response)
        except (Exception, Expired) as error:
            return self._failure(error, connecting, route)
        set_cookie = response.headers.get('set-cookie')
        if set_cookie:
            transport.cookies.store(route.url, set_cookie)
        # What is unpacked comes in steps of its own.
        at_once = self._is_last and 'content-encoding' not in response.headers
        failure = self._receive(body, at_once, on_messages)
        if failure is None and not self._reader.reusable:
            self._drop()
        return failure

    def _receive(self, body: Iterator[bytes], at_once: bool, on_messages: OnMessages) -> Failure | None:
        options = self._transport.options
        decoder = MessageDecoder(options.message_limit, options.codec.decode)
        self._watch(options.network_allowance)
        counted = 0
        while True:
            try:
                piece = next(body, b'')
            except (Exception, Expired) as error:
                return self._failure(error, False, self._transport.route)
            messages = decoder.feed(piece)
            if messages:
                self._watchdog.rest()
                self.characters, counted = decoder.characters - counted, decoder.characters
                self.complete = at_once and self._reader.reusable and decoder.is_complete
                on_messages(messages)
                if self.complete:
                    return None
                if self._closing:
                    # More may be there at once, for ever.
                    return _CLOSED
                self._watch(options.network_allowance)
            if not piece or decoder.failure is not None:
                return decoder.close()

    def _refused(self, response: Response, route: Route) -> Failure:
        self._watch(self._transport.options.network_allowance)
        # Servers and proxies sometimes repeat a request in an error page.
        _, headers, cookie = self._head_of or (route, {}, None)
        words = re.split(r'[\s=;,]+', ' '.join([*headers.values(), cookie or '']))
        secrets = [word for word in words if len(word) >= _SECRET]
        failure = refusal(response, [*secrets, *route.secrets])
        if failure.status == 407 and route.absolute:
            return Failure(FailureKind.PROXY, failure.detail, failure.status, failure.retry_after)
        return failure

    def _failure(self, error: BaseException, connecting: bool, route: Route) -> Failure:
        """The value of an exception; one that belongs to another watchdog goes on."""
        if isinstance(error, Expired):
            if error.watchdog is not self._watchdog:
                raise error
            if self._closing:
                return _CLOSED
        return failure_of(error, connecting=connecting, peer=route.peer)

    # --- before and after -----------------------------------------------------------------------

    def _bodies(self, messages: Sequence[Mapping[str, object]]) -> list[bytes] | Failure:
        encode = self._transport.options.codec.encode
        try:
            encoded = [encode(message) for message in messages]
        except Exception as error:
            return Failure(FailureKind.REQUEST, f'a message cannot be encoded: {str(error)[:150]}')
        if len(encoded) == 1:
            return [b'[%b]' % encoded[0]]
        return list(packed(encoded, self._transport.options.request_limit))

    def _prepare(self, route: Route) -> Failure | None:
        """Make the request head up to the length, unless it would be the one there is."""
        transport = self._transport
        try:
            headers = dict(transport.headers()) if transport.headers is not None else {}
        except Exception as error:
            # Not its text: it may hold what the headers hold.
            return Failure(FailureKind.REQUEST, f'headers() raised {type(error).__name__}')
        cookie = transport.cookies.header(route.url)
        made_of = (route, headers, cookie)
        if made_of == self._head_of:
            return None
        head = request_head(route.target, route.host_header, headers, cookie=cookie, extra=route.extra_head)
        if isinstance(head, Failure):
            return head
        self._head = head
        self._head_of = made_of
        return None

    def _connect(self, route: Route) -> None:
        self._drop()
        seconds = self._transport.options.connect_timeout
        self._watch(seconds)
        self._sock = route.open(seconds)
        self._reader = ResponseReader(receiving(self._sock))
        self._route = route
        self._readable = _select.poll()
        self._readable.register(self._sock.fileno(), _select.POLLIN)

    def _watch(self, seconds: float) -> None:
        # After `close` nothing is waited for.
        self._watchdog.watch(0.0 if self._closing else seconds)

    def _drop(self) -> None:
        """Close whatever is open."""
        self._watchdog.stop()
        sock = self._sock
        self._sock = self._readable = None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()
