"""Who is called for what: callbacks of channels, listeners of meta channels, the observer. Floor 2.

Everything is called from one green thread, in the order of arrival. What a callback raises is
logged and stays here.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import eventlet

from nameko_salesforce.bayeux.channels import matching_patterns, without_filter
from nameko_salesforce.bayeux.effects import ChannelChanged, MessageSkipped, StateChanged
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.mailbox import Mailbox
from nameko_salesforce.bayeux.messages import Delivery, Reply

__all__ = ['Callback', 'Dispatcher', 'Listener', 'Notice', 'Observer']

log = logging.getLogger('nameko_salesforce.bayeux')

Callback = Callable[[Delivery], Any]
Listener = Callable[[Reply], Any]
Notice = StateChanged | ChannelChanged | MessageSkipped
Observer = Callable[[Notice], Any]

# Concrete channels whose callbacks are remembered. A wildcard may bring any number of channels
# (one per user, say), and memory must not grow with them.
ROUTES = 4096


class Dispatcher:
    """The registry of callbacks, and the loop that calls them.

    Args:
        mailbox_limit: see `Mailbox`.
        observe: called with every `Notice`.
    """

    def __init__(self, mailbox_limit: int, observe: Observer | None) -> None:
        self._mailbox_limit = mailbox_limit
        self._mailbox = Mailbox(mailbox_limit)
        self._observe = observe
        self._callbacks: dict[str, list[Callback]] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._routes: dict[str, tuple[Callback, ...]] = {}

    # --- the registry ----------------------------------------------------------------------------

    def channels(self) -> list[str]:
        """Subscribed channels and wildcards, in declared order."""
        return list(self._callbacks)

    def add(self, channel: str, callback: Callback) -> None:
        self._callbacks.setdefault(channel, []).append(callback)
        self._routes.clear()

    def remove(self, channel: str, callback: Callback | None) -> int:
        """Remove a callback, or all with None; how many are left. Raises `LocalError` for an unknown one."""
        callbacks = self._callbacks.get(channel, [])
        if not callbacks or (callback is not None and callback not in callbacks):
            raise LocalError(
                f'{channel!r} is not subscribed to' + (f' with {callback!r}' if callback else '')
            )
        self._routes.clear()
        if callback is not None:
            callbacks.remove(callback)
        if callback is None or not callbacks:
            del self._callbacks[channel]
            return 0
        return len(callbacks)

    def listen(self, channel: str, listener: Listener) -> None:
        self._listeners.setdefault(channel, []).append(listener)

    # --- what arrives ----------------------------------------------------------------------------

    def deliver(self, deliveries: Sequence[Delivery]) -> None:
        self._mailbox.put(deliveries, len(deliveries))

    def meta(self, reply: Reply) -> None:
        if reply.channel in self._listeners:
            self._mailbox.put(reply)

    def tell(self, notice: Notice) -> None:
        if self._observe is not None:
            self._mailbox.put(notice)

    def wait_for_room(self) -> None:
        self._mailbox.wait_for_room()

    def forget(self) -> None:
        """Drop what was not handled yet; a loop that still runs ends after its current item."""
        self._mailbox = Mailbox(self._mailbox_limit)

    # --- the loop --------------------------------------------------------------------------------

    def run(self) -> None:
        """Call until `forget`, or until its green thread is killed."""
        mailbox = self._mailbox
        while mailbox is self._mailbox:
            item = mailbox.take()
            if isinstance(item, Reply):
                for listener in self._listeners.get(item.channel, ()):
                    self._call(listener, item, item.channel)
            elif isinstance(item, Notice):
                if self._observe is not None:
                    self._call(self._observe, item, 'observer')
            else:
                for delivery in item:
                    self._handle(delivery)
            mailbox.taken()

    def _handle(self, delivery: Delivery) -> None:
        callbacks = self._routes.get(delivery.channel)
        if callbacks is None:
            callbacks = self._route(delivery.channel)
        for callback in callbacks:
            self._call(callback, delivery, delivery.channel)

    def _route(self, channel: str) -> tuple[Callback, ...]:
        names = {*matching_patterns(channel), *matching_patterns(without_filter(channel))}
        callbacks = tuple(
            callback
            for name, registered in self._callbacks.items()
            if name in names or without_filter(name) in names
            for callback in registered
        )
        if not callbacks:
            log.info('events on %s have no callback and are dropped', channel)
        if len(self._routes) >= ROUTES:
            self._routes.clear()
        self._routes[channel] = callbacks
        return callbacks

    def _call(self, callback: Callable[[Any], Any], argument: Any, channel: str) -> None:
        try:
            callback(argument)
        except (Exception, eventlet.Timeout):
            log.exception('%s: callback %r failed', channel, callback)
