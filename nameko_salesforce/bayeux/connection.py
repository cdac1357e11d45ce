"""What Nameko entrypoints for any streaming server share: the connection and the entrypoint. Floor 3.

Decides when the client of a service starts and stops, and that nothing of it ever reaches the
container. All entrypoints of one service share one client and one session. Which server, with which
settings, is the business of the subclasses (`extension.py`, and Salesforce's).

Invariants, each with a reason in Nameko's own life cycle:
- `halt` comes from the entrypoints, for `stop` and for `kill`: a shared extension is told of both only
  after the workers, and an intake that waits for a worker would then start one more, or wait for ever.
- After `halt` nothing starts: `stop` may run while another extension's `setup` still holds up `start`.
- Every step of a stop is bounded and raises nothing: Nameko would skip the rest and never end.
"""

import logging
from collections.abc import Callable
from typing import Any

import eventlet
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from nameko_salesforce.bayeux.channels import check_subscribable
from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.workers import Workers

__all__ = ['ChannelEntrypoint', 'StreamConnection']

log = logging.getLogger('nameko_salesforce.bayeux')

# Seconds. `nameko run` acts on SIGTERM only when the hub wakes up; a held poll lets it sleep for a minute.
HEARTBEAT = 1.0

# Of every entrypoint.
NAMEKO_OPTIONS = frozenset(['expected_exceptions', 'sensitive_arguments', 'sensitive_variables'])


# The order of the bases matters: the other way round ProviderCollector.stop is not called at all.
class StreamConnection(ProviderCollector, SharedExtension):  # type: ignore[misc]  # Nameko is untyped
    """The one client of a service. A subclass gives it in its `setup`, by `adopt`.

    Attributes:
        client: None before `setup`.
    """

    # No I/O, thread or timer in __init__: Nameko makes each extension twice.
    client: Client | None = None
    _workers: Workers | None = None
    _heart: Any = None
    _halted = False

    def adopt(self, client: Client) -> None:
        """Take the client, which is not started."""
        self.make_workers()
        self.client = client

    def make_workers(self, slots: int | None = None) -> Workers:
        """Have the workers for events; one less than the pool, to leave other entrypoints a turn."""
        if self._workers is None:
            pool = self.container.max_workers
            self._workers = Workers(self.container, max(1, pool - 1) if slots is None else min(slots, pool))
        return self._workers

    def subscribe_all(self, client: Client) -> None:
        """Subscribe to the channels of all entrypoints."""
        for entrypoint in self.declared():
            client.subscribe(entrypoint.channel, self._handler(entrypoint))

    def context_data(self, event: Delivery) -> dict[str, Any]:
        """What the worker of an event finds in its `context_data`; a new dict for each."""
        return {}

    def start(self) -> None:
        """Begin to connect, in the background: a service also starts while its server is down."""
        # All entrypoints may have been taken away (nameko.testing.restrict_entrypoints).
        if self._halted or self.client is None or not self._providers:
            return
        self.subscribe_all(self.client)
        self.client.start()
        self._heart = self.spawn(self._beat)

    def halt(self) -> None:
        """Spawn no worker from here on; any number of times, also before `start`."""
        self._halted = True
        if self.client is not None:
            self.client.halt()

    def leave(self) -> None:
        """End the session at the server, within the client's bound. Any number of times. Never raises."""
        if self.client is not None:
            self.end_in_order(self.client.stop)

    def stop(self) -> None:
        """End what is left. The workers have finished; until now the heart beat for them."""
        self.halt()
        self.leave()
        self._stop_heart()
        super().stop()

    def kill(self) -> None:
        """End at once, without a word to the server. Never raises."""
        self.halt()
        self._stop_heart()
        if self.client is not None:
            self.end_in_order(self.client.kill)

    def end_in_order(self, how: Callable[[], None]) -> None:
        """Take a step of an end; what it raises would leave Nameko hanging, and is logged instead."""
        try:
            how()
        except (Exception, eventlet.Timeout):
            log.exception('the client of %s did not end in order', self.container.service_name)

    def spawn(self, function: Callable[[], None]) -> Any:
        """Run a function of the client in a green thread that the container knows."""

        def run() -> None:
            try:
                function()
            except (Exception, eventlet.Timeout) as error:
                # A bug of ours. The service ends: without this thread it would live on, deaf. It ends in
                # another thread, because container.kill() runs in the one that raised and would be torn
                # apart by our kill() of that thread; and as an Exception, for Nameko lets a Timeout pass.
                self.fail(error if isinstance(error, Exception) else RuntimeError(repr(error)))

        return self.container.spawn_managed_thread(run, identifier='bayeux')

    def fail(self, error: Exception) -> None:
        """End the service with an error, from whatever green thread."""
        self.container.spawn_managed_thread(lambda: _raise(error), identifier='bayeux')

    def declared(self) -> list['ChannelEntrypoint']:
        """The entrypoints in the order of their methods, those of base classes first.

        Nameko keeps several decorators of one method in a set, so these are sorted by channel.
        """
        names: dict[str, None] = {}
        for cls in reversed(self.container.service_cls.__mro__):
            names.update(dict.fromkeys(vars(cls)))
        place = {name: number for number, name in enumerate(names)}
        return sorted(self._providers, key=lambda each: (place.get(each.method_name, -1), each.channel))

    def _handler(self, entrypoint: 'ChannelEntrypoint') -> Callable[[Delivery], None]:
        def handle(event: Delivery) -> None:
            assert self._workers is not None
            self._workers.spawn(entrypoint, entrypoint.worker_args(event), self.context_data(event))

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


def _raise(error: Exception) -> None:
    raise error


class ChannelEntrypoint(Entrypoint):  # type: ignore[misc]  # Nameko is untyped
    """Call a method for each event of a channel. A subclass names the connection.

    Args:
        channel: as subscribed to.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.
    Raises:
        LocalError: no server could accept the name. TypeError: an option that Nameko does not know.
    """

    connection: StreamConnection

    def __init__(self, channel: str, **kwargs: Any) -> None:
        check_subscribable(channel)
        if unknown := sorted(set(kwargs) - NAMEKO_OPTIONS):
            # Nameko would let `object` complain, which names neither the option nor the decorator.
            raise TypeError(f'{type(self).__name__} of {channel} has no option {", ".join(unknown)}')
        self.channel = channel
        super().__init__(**kwargs)

    def worker_args(self, event: Delivery) -> tuple[Any, ...]:
        """What the method is called with; by default the concrete channel and the data."""
        return (event.channel, event.data)

    def setup(self) -> None:
        self.connection.register_provider(self)

    def stop(self) -> None:
        """Take no more events, and say goodbye while the workers finish."""
        self.connection.halt()
        self.connection.unregister_provider(self)
        self.connection.leave()

    def kill(self) -> None:
        self.connection.halt()
