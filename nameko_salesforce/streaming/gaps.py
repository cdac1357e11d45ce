"""Nameko entrypoint for lost positions. Floor 4.

from nameko_salesforce.streaming import handle_gap

class Service:
    name = 'contacts'

    @handle_gap
    def reconcile(self, gap):
        ...
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nameko.extensions import Entrypoint

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.streaming.connection import SalesforceConnection
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.retry import OnFailure, Retry

__all__ = ['GapHandler', 'handle_gap']


class GapHandler(Entrypoint):  # type: ignore[misc]  # Nameko is untyped
    """Call `method(gap)` when the position of a channel is lost, so that events may have been missed.

    Args:
        attempts: how often the method is tried for one gap, with growing pauses.
        timeout: seconds that an attempt may take; None: without limit.
        **kwargs: of every Nameko entrypoint: `expected_exceptions`, `sensitive_arguments`.

    The method gets a `Gap`: channel, lost position, its age, where the channel goes on. It is called beside
    the events that follow, not before them, and not again after a crash; the log has the same.
    """

    connection = SalesforceConnection()

    def __init__(self, *, attempts: int = 3, timeout: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retry = Retry(attempts=attempts, timeout=timeout, on_failure=OnFailure.SKIP)

    def options(self, name: str) -> HandlerOptions:
        """How the method is called, as for a channel's handler."""
        expected = self.expected_exceptions
        expected = expected if isinstance(expected, tuple) else (expected,)
        return HandlerOptions(name=name, order=Order.NONE, retry=replace(self.retry, expected=expected))

    def run_args(self, events: Sequence[Delivery]) -> tuple[Any, ...]:
        """What the method is called with."""
        return (events[0].data,)

    def setup(self) -> None:
        self.connection.register_gap_handler(self)

    def stop(self) -> None:
        self.connection.halt()

    def kill(self) -> None:
        self.connection.halt()


handle_gap = GapHandler.decorator
