"""The seam for what a session needs from outside: credentials, an address, replay positions. Floor 2."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import eventlet
from greenlet import GreenletExit

from nameko_salesforce.bayeux.effects import Effect
from nameko_salesforce.bayeux.failures import Failure

__all__ = ['NoPreparation', 'Preparation', 'PreparationFailed', 'Preparations', 'Prepared']

log = logging.getLogger('nameko_salesforce.bayeux')

# Seconds after which a preparation counts as failed: a login with attempts of its own takes up to a minute,
# and one that hangs would be a stream that is silent.
PREPARATION_LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a session is begun with.

    Attributes:
        url: the server from now on; None = unchanged.
        ext: added to the handshake's `ext`.
    """

    url: str | None = None
    ext: Mapping[str, Any] | None = None


class PreparationFailed(Exception):
    """A preparation met an expected trouble.

    Attributes:
        failure: a text is judged by the policy like a server's error, a `Failure` like a failed exchange.
    """

    def __init__(self, failure: Failure | str) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Preparation(Protocol):
    """Asked before every handshake and every subscribe, each time in a green thread of its own."""

    def prepare(self, *, login: bool) -> Prepared:
        """Have credentials ready; `login` = those in use were refused. Raises `PreparationFailed`."""

    def prepare_channel(self, channel: str, *, refusal: str) -> Mapping[str, Any] | None:
        """The `ext` of a subscribe request. Raises `PreparationFailed`.

        Args:
            refusal: the server's last refusal of this channel, '' where there was none; the same
                request sent again would be refused again.
        """


@dataclass(frozen=True, slots=True)
class NoPreparation:
    """Nothing is needed."""

    def prepare(self, *, login: bool) -> Prepared:
        return Prepared()

    def prepare_channel(self, channel: str, *, refusal: str) -> Mapping[str, Any] | None:
        return None


Outcome = Callable[[float], list[Effect]]


class Preparations:
    """Those under way, each in a green thread of its own.

    Args:
        at_once: they wait for nothing, and need no thread.
        spawn: starts a green thread.
        tell: takes each outcome.
        url: gives the server's URL, for the log.
    """

    def __init__(
        self,
        at_once: bool,
        spawn: Callable[[Callable[[], None]], Any],
        tell: Callable[[Outcome], None],
        url: Callable[[], str],
    ) -> None:
        self._at_once = at_once
        self._spawn = spawn
        self._tell = tell
        self._url = url
        self._threads: dict[object, Any] = {}

    def begin(
        self, what: str, prepare: Callable[[], Outcome], failed: Callable[[Failure | str], Outcome]
    ) -> None:
        """Have one run; its outcome is told, whatever it raises or does."""
        if self._at_once:
            self._tell(prepare())
            return
        token = object()

        def run() -> None:
            limit = eventlet.Timeout(PREPARATION_LIMIT)
            try:
                outcome = prepare()
            except PreparationFailed as exc:
                outcome = failed(exc.failure)
            except (Exception, eventlet.Timeout, GreenletExit) as exc:
                if exc is limit:
                    outcome = failed(f'it took over {PREPARATION_LIMIT:g} s')
                else:
                    if token in self._threads:
                        log.exception('%s: the preparation of %s failed', self._url(), what)
                    # Not its text, which may hold what was being sent.
                    outcome = failed(type(exc).__name__)
            finally:
                limit.cancel()
            if self._threads.pop(token, None) is not None:
                self._tell(outcome)

        self._threads[token] = self._spawn(run)

    def abandon(self) -> None:
        """End all of them; none has an outcome any more."""
        threads, self._threads = self._threads, {}
        for thread in threads.values():
            if thread is not eventlet.getcurrent():
                thread.kill()
