"""Nameko entrypoint for any CometD server. Floor 3.

    from nameko_salesforce.bayeux import subscribe

    class Service:
        name = 'chat'

        @subscribe('/chat/**')
        def handle(self, channel, data):
            ...

Decides when the client of a service starts and stops, and that nothing of it ever reaches the
container. All entrypoints of one service share one client and one session.
"""

import logging
from collections.abc import Callable
from typing import Any

import eventlet
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from nameko_salesforce.bayeux.channels import check_subscribable
from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.settings import read_settings
from nameko_salesforce.bayeux.workers import Workers

try:
    from nameko import config as nameko_config  # Nameko 3
except ImportError:
    nameko_config = None  # Nameko 2: the container has it

__all__ = ['BayeuxConnection', 'Subscribe', 'subscribe']

log = logging.getLogger('nameko_salesforce.bayeux')

# `nameko run` acts on SIGTERM only when the hub wakes up, and a held poll lets it sleep for a minute.
HEARTBEAT = 1.0


class BayeuxConnection(ProviderCollector, SharedExtension):  # type: ignore[misc]  # Nameko is untyped
    """The one client of a service."""

    # No I/O, thread or timer in __init__: Nameko makes each extension twice.
    client: Client | None = None
    _workers: Workers | None = None
    _heart: Any = None

    def setup(self) -> None:
        """Read the configuration. Raises `ConfigurationError`, which keeps the service from starting."""
        settings = read_settings(self.container.config if nameko_config is None else nameko_config)
        self._workers = Workers(self.container, max(1, self.container.max_workers - 1))
        self.client = Client(
            settings.server_uri,
            headers=lambda: settings.headers,
            session=settings.session,
            transport=settings.transport,
            spawn=self._spawn,
        )

    def start(self) -> None:
        """Begin to connect, in the background: a service also starts while its server is down."""
        if self.client is None or not self._providers:
            return  # all entrypoints may have been taken away (nameko.testing.restrict_entrypoints)
        for entrypoint in sorted(self._providers, key=lambda each: each.declared):
            self.client.subscribe(entrypoint.channel, self._handler(entrypoint))
        self.client.start()
        self._heart = self._spawn(self._beat)

    def halt(self) -> None:
        """Spawn no worker from here on; any number of times, also before `start`."""
        if self.client is not None:
            self.client.halt()

    def stop(self) -> None:
        """Say goodbye to the server, within its bound. Never raises."""
        if self.client is not None:
            self.client.stop()
        self._stop_heart()
        super().stop()

    def kill(self) -> None:
        """End at once."""
        if self.client is not None:
            self.client.kill()
        self._stop_heart()

    def _handler(self, entrypoint: 'Subscribe') -> Callable[[Delivery], None]:
        def handle(event: Delivery) -> None:
            assert self._workers is not None
            self._workers.spawn(entrypoint, (event.channel, event.data))

        return handle

    def _beat(self) -> None:
        while True:
            eventlet.sleep(HEARTBEAT)
            if self._workers is not None:
                self._workers.reap()

    def _stop_heart(self) -> None:
        heart, self._heart = self._heart, None
        if heart is not None:
            heart.kill()

    def _spawn(self, function: Callable[[], None]) -> Any:
        return self.container.spawn_managed_thread(function, identifier='bayeux')


class Subscribe(Entrypoint):  # type: ignore[misc]  # Nameko is untyped
    """Call a method for each event of a channel: `method(channel, data)`.

    Args:
        channel: '/a/b', '/a/*' (one more segment) or '/a/**' (one or more). The handler gets the
            concrete channel of the event.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.
    Raises:
        LocalError: no server could accept the name.
    """

    connection = BayeuxConnection()

    def __init__(self, channel: str, **kwargs: Any) -> None:
        check_subscribable(channel)
        self.channel = channel
        super().__init__(**kwargs)

    @property
    def declared(self) -> tuple[str, str]:
        """Sorts a service's entrypoints: channels are subscribed in the same order at every start."""
        return self.method_name, self.channel

    def setup(self) -> None:
        self.connection.register_provider(self)

    def stop(self) -> None:
        self.connection.halt()
        self.connection.unregister_provider(self)

    def kill(self) -> None:
        self.connection.halt()


subscribe = Subscribe.decorator
