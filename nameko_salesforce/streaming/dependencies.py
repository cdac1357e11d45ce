"""Nameko dependencies of the streams: their status, and the dead letters. Floor 4.

    from nameko.web.handlers import http
    from nameko_salesforce.streaming import StreamingStatus

    class Service:
        name = 'contacts'

        status = StreamingStatus()

        @http('GET', '/healthz')
        def healthz(self, request):
            report = self.status.report()
            return (503 if report.problems else 200), json.dumps(report.as_dict())

Thin: what is known and done is in the connection, which the entrypoints share.
"""

from typing import Any

import eventlet
from eventlet import Timeout
from nameko.extensions import DependencyProvider

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.options import is_wait
from nameko_salesforce.bayeux.texts import shown
from nameko_salesforce.replay.store import DeadLetter, Store, StoreFailed
from nameko_salesforce.streaming.connection import SalesforceConnection
from nameko_salesforce.streaming.reporting import make_report
from nameko_salesforce.streaming.retry import OnFailure
from nameko_salesforce.streaming.status import StreamReport

__all__ = ['DeadLetters', 'LetterBox', 'Status', 'StreamingStatus']


class Status:
    """What a worker gets for `StreamingStatus()`."""

    def __init__(self, connection: SalesforceConnection) -> None:
        self._connection = connection

    def report(self) -> StreamReport:
        """How the streams are at this moment. Does no I/O, and works before the service is connected."""
        return make_report(self._connection)

    def resume(self, channel: str) -> bool:
        """Go on with a channel that `on_failure='stop'` has stopped, with the event that failed.

        Returns:
            False where it is not stopped, or there is no such channel.
        """
        return self._connection.resume_channel(channel)


class LetterBox:
    """What a worker gets for `DeadLetters()`: the dead letters of this service, in its store.

    Every call takes some seconds at most, and raises `StoreFailed` where the store cannot be asked.
    """

    def __init__(self, connection: SalesforceConnection) -> None:
        self._connection = connection

    def list(
        self,
        channel: str | None = None,
        *,
        newest_first: bool = False,
        after: str | None = None,
        count: int = 100,
    ) -> list[DeadLetter]:
        """A page of letters; see `Store.dead_letters`."""
        return self._store.dead_letters(channel=channel, newest_first=newest_first, after=after, count=count)

    def show(self, number: str) -> DeadLetter | None:
        """The letter of this number; None: there is none."""
        return self._store.dead_letter(number)

    def count(self) -> int:
        """How many there are."""
        return self._store.count_dead_letters()

    def drop(self, number: str) -> bool:
        """Remove a letter for good; False: there is none."""
        return self._store.remove_dead_letter(number)

    def run_again(self, number: str, timeout: float = 60.0) -> bool:
        """Run a letter's event through its handler, with as many attempts as any other, beside the stream.

        Args:
            timeout: seconds to wait for its end.
        Returns:
            Whether it was handled. The letter is removed then. Otherwise a new one stands in its place, or it
            stays: where the handler is told by now to skip such events, and where nobody knows how that
            ended, because the login is of another organization now.
        Raises:
            LookupError: there is no such letter, or no such handler in this service any more.
            ValueError: nobody can wait for so long.
            TimeoutError: the handler has not ended in time. It goes on, and the letter stays until its end.
        """
        if not is_wait(timeout):
            raise ValueError(f'timeout is {shown(timeout)}; it is a time in seconds, a week at most')
        letter = self._store.dead_letter(number)
        if letter is None:
            raise LookupError(f'there is no dead letter {number}')
        runner = self._connection.runner
        name = without_filter(letter.channel)
        channels = () if runner is None else runner.channels
        channel = next((each for each in channels if without_filter(each.name) == name), None)
        if runner is None or channel is None or letter.handler not in channel.handlers:
            raise LookupError(f'this service has no handler {letter.handler}() on {letter.channel}')
        over = runner.again(channel, letter.handler, Delivery(letter.channel, letter.data))
        replaced = channel.handlers[letter.handler].handler.retry.on_failure is OnFailure.DEAD_LETTER
        store = self._store

        def settle() -> bool:
            handled = over.wait()
            if handled or (handled is False and replaced):
                store.remove_dead_letter(number)
            return bool(handled)

        # In a thread of its own: it has to be removed also where nobody waits any more.
        settling = eventlet.spawn(settle)
        with Timeout(timeout, TimeoutError(f'{letter.handler}() has not ended within {timeout:g} s')):
            return bool(settling.wait())

    @property
    def _store(self) -> Store:
        if self._connection.runner is None:
            raise StoreFailed('this service streams nothing, or has not started: its store is not open')
        store = self._connection.positions.store
        if store is None:
            raise StoreFailed('the store is not known before the first login')
        return store


class StreamingStatus(DependencyProvider):  # type: ignore[misc]  # Nameko is untyped
    """Gives each worker a `Status`."""

    connection = SalesforceConnection()

    def get_dependency(self, worker_ctx: Any) -> Status:
        return Status(self.connection)


class DeadLetters(DependencyProvider):  # type: ignore[misc]  # Nameko is untyped
    """Gives each worker a `LetterBox`."""

    connection = SalesforceConnection()

    def get_dependency(self, worker_ctx: Any) -> LetterBox:
        return LetterBox(self.connection)
