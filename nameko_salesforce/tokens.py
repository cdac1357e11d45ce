"""The one token of an account, shared by all who need it. Floor 3.

Decides who logs in: whoever first finds that there is no token, or that its token was refused, does it
in its own green thread, and everybody else waits for that one login. `login_pace.py` decides when.

Invariant: `_flight` is None or belongs to a green thread inside `_log_in`; that thread takes it away
however it ends. A kill or a Timeout there makes one of the waiters try in its place.

For the green threads of one native thread, in a process that is monkey-patched or not.
"""

import copy
import logging
from collections.abc import Callable
from dataclasses import replace

from eventlet.event import Event

from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.credentials import Token
from nameko_salesforce.errors import LoginError, LoginFailed, LoginPostponed, LoginRefused
from nameko_salesforce.login_pace import FAILURE_PAUSE, REFUSAL_PAUSE, LoginPace

__all__ = ['Token', 'Tokens']

log = logging.getLogger('nameko_salesforce.account')


class Tokens:
    """Gives the token.

    Args:
        log_in: logs in once; raises `LoginRefused` or `LoginFailed`.
        clock: gives seconds, monotonic.
        draw: gives a random number in [0, 1), for jitter.
        logins_per_hour: that Salesforce answers.
        refusal_pause, failure_pause: see `login_pace.py`.
    """

    def __init__(
        self,
        log_in: Callable[[], Token],
        *,
        clock: Callable[[], float],
        draw: Callable[[], float],
        logins_per_hour: int = 30,
        refusal_pause: Backoff = REFUSAL_PAUSE,
        failure_pause: Backoff = FAILURE_PAUSE,
    ) -> None:
        self._log_in_once = log_in
        self._clock = clock
        self._draw = draw
        self._pace = LoginPace(logins_per_hour, refusal_pause, failure_pause)
        self._current: Token | None = None
        self._flight: Event | None = None
        self._logins = 0

    @property
    def current(self) -> Token | None:
        """The token that there is, without I/O. It may have expired."""
        return self._current

    def get(self) -> Token:
        """The token, after a login if there is none.

        Raises:
            LoginRefused, LoginFailed: of the login that this call made or waited for.
            LoginPostponed: a pause lasts; nothing was sent.
        """
        return self.renew(None)

    def renew(self, refused: Token | None) -> Token:
        """Another token than the one that Salesforce refused.

        Where there is one already, that one. `number` tells two logins apart that gave one token.

        Raises:
            As `get`. The refused token is forgotten, but for `LoginPostponed`: there is no other to be had,
            and it may still serve those to whom it was not refused.
        """
        while True:
            if self._current is not None and self._current != refused:
                return self._current
            former, self._current = self._current, None
            if self._flight is None:
                return self._log_in(former)
            outcome: Token | LoginError | None = self._flight.wait()
            if isinstance(outcome, LoginError):
                # A copy: an exception that several threads raise would collect all their tracebacks.
                raise copy.copy(outcome)
            if outcome is not None:
                return outcome

    def _log_in(self, former: Token | None) -> Token:
        flight = self._flight = Event()
        outcome: Token | LoginError | None = None
        try:
            outcome = self._attempt()
            if isinstance(outcome, LoginPostponed):
                # It was refused to one of several who use it.
                self._current = former
            if isinstance(outcome, LoginError):
                raise outcome
            self._current = outcome
            return outcome
        finally:
            self._flight = None
            flight.send(outcome)

    def _attempt(self) -> Token | LoginError:
        pace = self._pace
        now = self._clock()
        wait = pace.wait(now)
        if wait.seconds > 0:
            return LoginPostponed(wait.reason, wait.seconds, wait.refused)
        pace.begin(now)
        try:
            token = self._log_in_once()
        except LoginRefused as error:
            pause = pace.refused(self._clock(), self._draw(), str(error))
            log.warning('%s; next attempt in %.0f s at the earliest', error, pause)
            return LoginRefused(error.code, error.text, pause)
        except LoginFailed as error:
            pause = pace.failed(self._clock(), self._draw(), str(error), error.failure.retry_after)
            log.warning('%s; next attempt in %.1f s at the earliest', error, pause)
            return LoginFailed(error.failure, pause)
        pace.succeeded()
        self._logins += 1
        log.info('logged in at %s as user %s', token.instance_url, token.user_id)
        return replace(token, number=self._logins)
