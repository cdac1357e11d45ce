"""Who is called for what: callbacks of channels, listeners of meta channels, observer, follower. Floor 2.

Everything is called from one green thread, in the order of arrival. What a callback raises is
logged and stays here.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import eventlet
from greenlet import GreenletExit

from nameko_salesforce.bayeux.channels import matching_patterns, without_filter
from nameko_salesforce.bayeux.effects import (
    ChannelChanged,
    Deliver,
    MessageSkipped,
    PollAnswered,
    PollLost,
    StateChanged,
)
from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.mailbox import Mailbox
from nameko_salesforce.bayeux.messages import Delivery, Reply

__all__ = ['Arrival', 'Callback', 'Dispatcher', 'Follower', 'Listener', 'Notice', 'Observer']

log = logging.getLogger('nameko_salesforce.bayeux')

Callback = Callable[[Any], Any]
"""Gets a `Delivery`, or a list of them where it takes those in a row together."""
Listener = Callable[[Reply], Any]
Notice = StateChanged | ChannelChanged | MessageSkipped
Observer = Callable[[Notice], Any]
Arrival = Deliver | PollAnswered | PollLost
Follower = Callable[[Arrival], Any]

# Concrete channels whose callbacks are remembered. A wildcard may bring any number of channels
# (one per user, say), and memory must not grow with them.
ROUTES = 4096

# Events in a row of one channel go to a callback together.
BY_CHANNEL = attrgetter('channel')


class _Registered(NamedTuple):
    call: Callback
    together: bool


class _Route(NamedTuple):
    """Who is called for the events of a channel: with all in a row, and with each."""

    together: tuple[Callback, ...]
    singly: tuple[Callback, ...]


@dataclass(frozen=True, slots=True)
class _Behind:
    call: Callable[[], Any]


class Dispatcher:
    """The registry of callbacks, and the loop that calls them.

    Args:
        mailbox_limit, mailbox_characters: see `Mailbox`.
        observe: called with every `Notice`.
        follow: called with every `Arrival`; with events before any callback gets one of them.
    """

    def __init__(
        self,
        mailbox_limit: int,
        mailbox_characters: int,
        observe: Observer | None,
        follow: Follower | None,
    ) -> None:
        self._mailbox_limits = (mailbox_limit, mailbox_characters)
        self._mailbox = Mailbox(*self._mailbox_limits)
        self._observe = observe
        self._follow = follow
        self._callbacks: dict[str, list[_Registered]] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._routes: dict[str, _Route] = {}

    # --- the registry ----------------------------------------------------------------------------

    def channels(self) -> list[str]:
        """Subscribed channels and wildcards, in declared order."""
        return list(self._callbacks)

    def add(self, channel: str, callback: Callback, *, together: bool = False) -> None:
        """Call it for each event, or with all at once that have come in a row."""
        self._callbacks.setdefault(channel, []).append(_Registered(callback, together))
        self._routes.clear()

    def remove(self, channel: str, callback: Callback | None) -> int:
        """Remove a callback, or all with None; how many are left. Raises `LocalError` for an unknown one."""
        callbacks = self._callbacks.get(channel, [])
        found = [each for each in callbacks if callback is None or each.call == callback]
        if not found:
            raise LocalError(
                f'{channel!r} is not subscribed to' + (f' with {callback!r}' if callback else '')
            )
        self._routes.clear()
        if callback is not None:
            callbacks.remove(found[0])
        if callback is None or not callbacks:
            del self._callbacks[channel]
            return 0
        return len(callbacks)

    def listen(self, channel: str, listener: Listener) -> None:
        self._listeners.setdefault(channel, []).append(listener)

    # --- what arrives ----------------------------------------------------------------------------

    def arrived(self, arrival: Arrival) -> None:
        if isinstance(arrival, Deliver):
            self._mailbox.put(arrival, len(arrival.deliveries), arrival.characters)
        elif self._follow is not None:
            self._mailbox.put(arrival)

    def meta(self, reply: Reply) -> None:
        if reply.channel in self._listeners:
            self._mailbox.put(reply)

    def tell(self, notice: Notice) -> None:
        if self._observe is not None:
            self._mailbox.put(notice)

    def in_order(self, call: Callable[[], Any]) -> None:
        """Make a call behind all that has arrived so far."""
        self._mailbox.put(_Behind(call))

    @property
    def has_room(self) -> bool:
        return self._mailbox.may_go_on()

    def wait_for_room(self, timeout: float | None = None) -> bool:
        return self._mailbox.wait_for_room(timeout)

    # --- the loop --------------------------------------------------------------------------------

    def open(self) -> None:
        """Take what arrives from here on; before `run`."""
        self._mailbox = Mailbox(*self._mailbox_limits)

    def close(self) -> None:
        """Call nothing from here on, and drop what arrives. To be called before the loop is killed."""
        self._mailbox.close()

    def run(self) -> None:
        """Call until `close`."""
        mailbox = self._mailbox
        while (item := mailbox.take()) is not None:
            if isinstance(item, Deliver):
                self._call(_those(self._follow), item, 'follower', mailbox)
                self._deliver(item.deliveries, mailbox)
            elif isinstance(item, Reply):
                self._call(self._listeners.get(item.channel, ()), item, item.channel, mailbox)
            elif isinstance(item, Notice):
                self._call(_those(self._observe), item, 'observer', mailbox)
            elif isinstance(item, _Behind):
                self._call((lambda behind: behind.call(),), item, 'call in order', mailbox)
            else:
                self._call(_those(self._follow), item, 'follower', mailbox)
            if mailbox.closed:
                return
            mailbox.taken()

    def _deliver(self, deliveries: Sequence[Delivery], mailbox: Mailbox) -> None:
        routes = self._routes
        for channel, row in groupby(deliveries, BY_CHANNEL):
            route = routes.get(channel) or self._route(channel)
            if route.together:
                events = list(row)
                self._call(route.together, events, channel, mailbox)
                row = iter(events if route.singly else ())
            for delivery in row:
                # Anew for each: a callback may have unsubscribed.
                route = routes.get(channel) or self._route(channel)
                self._call(route.singly, delivery, channel, mailbox)

    def _route(self, channel: str) -> _Route:
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
        route = self._routes[channel] = _Route(
            tuple(each.call for each in callbacks if each.together),
            tuple(each.call for each in callbacks if not each.together),
        )
        return route

    @staticmethod
    def _call(
        callbacks: Sequence[Callable[[Any], Any]], argument: Any, channel: str, mailbox: Mailbox
    ) -> None:
        """Call all of them, unless one closes the mailbox."""
        for callback in callbacks:
            if mailbox.closed:
                return
            try:
                callback(argument)
            except (Exception, eventlet.Timeout, GreenletExit) as exc:
                # Not ours unless we are closed: a callback that waits for a green thread which somebody
                # kills gets its GreenletExit, and without this the stream would fall silent.
                if not (isinstance(exc, GreenletExit) and mailbox.closed):
                    log.exception('%s: callback %r failed', channel, callback)


def _those(callback: Callable[[Any], Any] | None) -> Sequence[Callable[[Any], Any]]:
    return () if callback is None else (callback,)
