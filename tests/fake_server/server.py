"""The running server: sockets, TLS, signals, and the way down."""

import asyncio
import logging
import os
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .control import add_control
from .front import Front
from .login import add_login
from .org import Org, default_seed, load_seed
from .rest import add_rest
from .salesforce import Salesforce
from .settings import SALESFORCE, BrokerSettings, SalesforceSettings
from .tenant import Tenant

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ['ServerOptions', 'check_org', 'make_app', 'serve']

# A backlog for a few thousand clients that connect at once; the kernel caps it (somaxconn).
BACKLOG = 4096
# Larger than anything that a test publishes or posts; the reference server has no limit by default.
REQUEST_LIMIT_BYTES = 64 * 1024 * 1024
# Salesforce: REST API guide, "limits"; queries stand in URLs.
URL_LIMIT_BYTES = 16_384
# What held polls may delay the end. Not 0, which aiohttp takes for "no limit".
SHUTDOWN_S = 0.05


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to serve.

    Attributes:
        settings: of the broker.
        host: address to listen on.
        port: 0 takes a free one.
        gzip: compress answers for clients that accept it.
        seed: for client ids and cookies; None takes chance from the system.
        org: what the org is born with; None takes the built-in seed.
        speed: how many seconds pass on the server's clock in one real second.
        control_hosts: host names under which control requests are accepted from anywhere.
        tls_certificate, tls_key: PEM files; both or none.
        until_stdin_closes: end when standard input ends, so that the server dies with its parent.
    """

    settings: BrokerSettings
    host: str = '127.0.0.1'
    port: int = 8080
    gzip: bool = False
    seed: int | None = None
    org: Mapping[str, Any] | None = field(default=None, repr=False)  # it holds passwords
    speed: float = 1.0
    control_hosts: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    until_stdin_closes: bool = False


def make_app(options: ServerOptions) -> web.Application:
    """The application; call it inside a running event loop."""
    app = web.Application(client_max_size=REQUEST_LIMIT_BYTES, middlewares=[_forget_long_bodies])
    tenants = _Tenants(options.org if options.org is not None else default_seed(), options.seed)
    front = Front(
        options.settings,
        gzip=options.gzip,
        seed=options.seed,
        speed=options.speed,
        make_rules=tenants.make,
    )
    app.router.add_route('*', '/cometd', front.handle)
    app.router.add_route('*', '/cometd/{rest:.*}', front.handle)
    add_login(app, front, tenants.current)
    add_rest(app, front, tenants.current)
    add_control(app, front, tenants.current, options.control_hosts)
    return app


@web.middleware
async def _forget_long_bodies(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge as refusal:
        text = refusal.text
    # Not the exception: as an answer it would keep its frames, and with them what was read, in a circle.
    return web.Response(status=413, text=text)


class _Tenants:
    """The org of now: each reset of the front makes another one from the same seed."""

    def __init__(self, seed: Mapping[str, Any], random_seed: int | None) -> None:
        self._seed = seed
        self._random_seed = random_seed
        self._current: Tenant | None = None

    def current(self) -> Tenant:
        assert self._current is not None
        return self._current

    def make(self, front: Front) -> Tenant:
        """Another org, which publishes to the front's broker of the moment."""
        now = front.clock.now()

        def publish(channel: str, data: dict[str, Any], now: float) -> None:
            front.act(lambda broker, now: broker.publish(channel, data, now))

        def settings() -> SalesforceSettings:
            found = front.broker.settings
            return found if isinstance(found, SalesforceSettings) else SALESFORCE

        def streaming_limits() -> Mapping[str, tuple[int, int]]:
            manner = front.broker.manner
            return manner.streams.allowances(front.clock.now()) if isinstance(manner, Salesforce) else {}

        self._current = Tenant(
            self._seed,
            random=Random(self._random_seed),
            epoch=datetime.now(UTC) - timedelta(seconds=now),
            publish=publish,
            settings=settings,
            streaming_limits=streaming_limits,
            now=now,
        )
        return self._current


def check_org(text: str | None) -> Mapping[str, Any]:
    """The seed in a YAML text, or the built-in one.

    Raises:
        ValueError: everything that is wrong with it, parted by `; `.
    """
    seed = default_seed() if text is None else load_seed(text)
    # Born once for nothing: most problems show only when the parts are put together.
    Org(seed, random=Random(0), epoch=datetime.now(UTC), emit=lambda channel, data, now: None)
    return seed


async def serve(options: ServerOptions, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM, Ctrl-C or, if asked, the end of standard input.

    Args:
        options: how to serve.
        ready: called with the base URL (`http://127.0.0.1:8080`) once connections are accepted.
    Raises:
        OSError: the address cannot be listened on, or a TLS file cannot be read (`ssl.SSLError`: used).
    """
    tls = None
    if options.tls_certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.tls_certificate, options.tls_key)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Without handler cancellation nobody would notice that the client of a held poll has gone.
    # Compressed requests are not read: aiohttp would log a traceback for each that is broken.
    runner = web.AppRunner(
        make_app(options),
        access_log=None,
        logger=_http_log(),
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_S,
        max_line_size=URL_LIMIT_BYTES,
        auto_decompress=False,
    )
    await runner.setup()
    try:
        site = web.TCPSite(
            runner, options.host, options.port, ssl_context=tls, backlog=BACKLOG, reuse_address=True
        )
        await site.start()
        host, port = runner.addresses[0][:2]
        shown = f'[{host}]' if ':' in host else host
        ready(f'{"http" if tls is None else "https"}://{shown}:{port}')
        if options.until_stdin_closes:
            _stop_when_stdin_closes(loop, stop)
        await stop.wait()
    finally:
        await runner.cleanup()


def _http_log() -> logging.Logger:
    """Of aiohttp, without a traceback for each request that is no HTTP: that is the client's error."""
    log = logging.getLogger('fake_salesforce.http')
    log.addFilter(_is_own_error)
    return log


def _is_own_error(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _stop_when_stdin_closes(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """By a thread: the loop can watch a pipe, and neither a file nor /dev/null."""

    def watch() -> None:
        # It may have been closed before the program began, and a terminal that is gone is an error.
        with suppress(OSError):
            if sys.stdin is not None:
                os.set_blocking(sys.stdin.fileno(), True)
                while os.read(sys.stdin.fileno(), 4096):
                    pass
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(stop.set)

    Thread(target=watch, daemon=True).start()
