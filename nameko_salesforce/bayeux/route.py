"""The way to one URL: what is checked before the first connection, and how one is opened. Floor 2.

Decides on addresses, proxy and TLS; knows nothing of requests and Bayeux. Sockets are eventlet's green
ones by import, so that the hub turns whether or not the process is monkey-patched. Opening one
raises what the network raises; `transport.py` catches it.
"""

import base64
import contextlib
import re
import socket
import time
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from eventlet.green import socket as green_socket
from eventlet.green import ssl as green_ssl

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.faults import ProxyRefused, Unusable
from nameko_salesforce.bayeux.response import BadResponse, NoResponse, ResponseReader, Truncated
from nameko_salesforce.bayeux.turns import receiving

__all__ = ['Route']

_PORTS = {'http': 80, 'https': 443}
_PRINTABLE = re.compile(r'[\x21-\x7e]+')


class Route:
    """A checked URL, with the proxy and the certificates for it. Does no I/O until `open`.

    Args:
        url: http or https, without user name and fragment.
        proxy: 'http://user:password@host:port' (port 80 by default) or None.
        ca_bundle: PEM file with the trusted certificates; None means the system's.
        client_certificate: PEM file with certificate and key, or a pair of files.
    Raises:
        LocalError: names what is wrong, and never repeats a URL (it may hold a password).
    """

    def __init__(
        self,
        url: str,
        *,
        proxy: str | None = None,
        ca_bundle: str | None = None,
        client_certificate: str | tuple[str, str] | None = None,
    ) -> None:
        parts = _split('url', url, ('http', 'https'))
        if '@' in parts.netloc:
            raise LocalError('url: must not hold a user name or a password')
        if '#' in url:
            raise LocalError('url: must not hold a fragment')
        self.url = url
        self.tls = parts.scheme == 'https'
        self._host, self._port = _address('url', parts)
        self._ca_bundle = ca_bundle
        self._client_certificate = client_certificate
        name = f'[{self._host}]' if ':' in self._host else self._host
        self.host_header = name if self._port == _PORTS[parts.scheme] else f'{name}:{self._port}'
        self._authority = f'{name}:{self._port}'
        self.target = (parts.path or '/') + (f'?{parts.query}' if parts.query else '')
        self.peer = self._authority
        self._via = (self._host, self._port)
        self._proxy_head = ''
        self.extra_head = ''
        # Of the proxy, in every form in which it may repeat them.
        self.secrets: tuple[str, ...] = ()
        if proxy is not None:
            self._use_proxy(_split('proxy', proxy, ('http',)))

    @property
    def absolute(self) -> bool:
        """Whether a proxy reads our requests itself, so that its refusals come as their answers."""
        return self._via != (self._host, self._port) and not self.tls

    def without_secrets(self, text: str) -> str:
        """What the proxy says, and not what it repeats."""
        for secret in self.secrets:
            text = text.replace(secret, '***')
        return text

    def open(self, seconds: float) -> Any:
        """Connect: addresses, TCP, tunnel, TLS.

        Args:
            seconds: time that the caller allows for all of it. The caller enforces it; here it is
                shared out, so that one dead address of several does not use it up.
        Returns:
            A green socket without a timeout.
        Raises:
            OSError (also as gaierror, SSLError), UnicodeError, ProxyRefused, Unusable. No
            descriptor stays open then, nor when anything else is thrown into the thread.
        """
        with contextlib.ExitStack() as stack:
            sock = _connect(*self._via, seconds)
            stack.callback(sock.close)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                if self._proxy_head:
                    self._tunnel(sock)
                # The handshake as a step of its own: were it part of the wrapping, a failed one would
                # leave the descriptor to the garbage collector.
                sock = self._context.wrap_socket(
                    sock, server_hostname=self._host, do_handshake_on_connect=False
                )
                stack.callback(sock.close)
                sock.do_handshake()
            stack.pop_all()
            return sock

    def _use_proxy(self, parts: SplitResult) -> None:
        self._via = _address('proxy', parts)
        self.peer = f'proxy {self._via[0]}:{self._via[1]}'
        credentials = ''
        if parts.username is not None:
            password = unquote(parts.password or '')
            pair = base64.b64encode(f'{unquote(parts.username)}:{password}'.encode()).decode()
            credentials = f'Proxy-Authorization: Basic {pair}\r\n'
            self.secrets = tuple(filter(None, (pair, parts.password, password)))
        if self.tls:
            self._proxy_head = (
                f'CONNECT {self._authority} HTTP/1.1\r\nHost: {self._authority}\r\n{credentials}\r\n'
            )
        else:
            self.target = f'http://{self.host_header}{self.target}'
            self.extra_head = credentials

    def _tunnel(self, sock: Any) -> None:
        sock.sendall(self._proxy_head.encode('ascii'))
        reader = ResponseReader(receiving(sock))
        try:
            response = reader.response(tunnel=True)
        except (BadResponse, NoResponse, Truncated) as error:
            raise ProxyRefused(None, f'no answer to CONNECT ({type(error).__name__})') from None
        if response.status // 100 != 2:
            raise ProxyRefused(response.status, self.without_secrets(f'{response.status} {response.reason}'))
        if not reader.reusable:
            # The server does not speak first in TLS, so that these bytes are the proxy's.
            raise ProxyRefused(response.status, 'data behind the answer to CONNECT')

    @cached_property
    def _context(self) -> Any:
        """Made once per route: reading the system's certificates takes some 10 ms."""
        option = 'ca_bundle'
        try:
            context = green_ssl.create_default_context(cafile=self._ca_bundle)
            context.set_alpn_protocols(['http/1.1'])
            if self._client_certificate is not None:
                option = 'client_certificate'
                pair = self._client_certificate
                files = (pair,) if isinstance(pair, str) else pair
                # A password, so that OpenSSL fails for an encrypted key instead of asking the terminal.
                context.load_cert_chain(*files, password='')
        except (OSError, ValueError) as error:
            raise Unusable(f'{option}: {error.__class__.__name__}: {error}') from None
        return context


def _connect(host: str, port: int, seconds: float) -> Any:
    """Try the addresses of `host` in turn. Raises the last one's error."""
    end = time.monotonic() + seconds
    addresses = green_socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    failed: OSError = socket.gaierror(socket.EAI_NONAME, 'no address')
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = green_socket.socket(family, kind, protocol)
        done = False
        try:
            sock.settimeout(max(end - time.monotonic(), 0.001) / (len(addresses) - tried))
            sock.connect(address)
            sock.settimeout(None)
            done = True
            return sock
        except OSError as error:
            failed = error
        finally:
            if not done:
                sock.close()
    raise failed


def _split(option: str, url: str, schemes: tuple[str, ...]) -> SplitResult:
    if not isinstance(url, str) or not _PRINTABLE.fullmatch(url):
        raise LocalError(f'{option}: must be a URL of printable ASCII characters without a space')
    try:
        parts = urlsplit(url)
    except ValueError:
        raise LocalError(f'{option}: not a URL') from None
    if parts.scheme not in schemes:
        raise LocalError(f'{option}: must begin with {" or ".join(f"{s}://" for s in schemes)}')
    return parts


def _address(option: str, parts: SplitResult) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise LocalError(f'{option}: the port must be a number up to 65535') from None
    if not host or port == 0:
        raise LocalError(f'{option}: has no host or no usable port')
    return host, port or _PORTS[parts.scheme]
