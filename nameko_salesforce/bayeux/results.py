"""Results that are waited for. Floor 2."""

from collections.abc import Callable

import eventlet
from eventlet.event import Event

from nameko_salesforce.bayeux.errors import NotAnswered, RemoteError
from nameko_salesforce.bayeux.options import waitable

__all__ = ['Result']


class Result:
    """The result of a subscribe, unsubscribe or publish; comes from `Client`, any number may wait.

    Args:
        what: names the request in errors.
        withdraw: called when somebody gives up waiting, so that an unsent request is not sent later.
        where: says where the client stands, for whoever gave up.
    """

    def __init__(self, what: str, withdraw: Callable[[], None], where: Callable[[], str]) -> None:
        self._what = what
        self._withdraw = withdraw
        self._where = where
        self._event = Event()

    @property
    def done(self) -> bool:
        """Whether an answer is there."""
        return bool(self._event.ready())

    def get(self, timeout: float | None = None) -> None:
        """Wait until the server has said yes.

        Args:
            timeout: seconds; None waits until there is an answer or the client stops.
        Raises:
            Refused: the server said no (`SubscriptionRefused`, `UnsubscriptionRefused`, `PublishRefused`).
            ExchangeFailed: no usable answer; whether the server acted is not known.
            Stopped: the client was stopped, or halted.
            NotAnswered: the time is over.
        """
        with eventlet.Timeout(waitable(timeout), False):
            self._event.wait()
        if not self._event.ready():
            self._withdraw()
            raise NotAnswered(f'{self._what}: no answer within {timeout:g} s ({self._where()})')
        error: RemoteError | None = self._event.wait()
        if error is not None:
            raise error

    def answer(self, error: RemoteError | None) -> None:
        """For the client: settle the result, once."""
        if not self._event.ready():
            self._event.send(error)
