"""How fast a session goes: the pause after a trouble, the rest between two polls. Floor 1: pure.

Counts what went wrong and remembers when things happened last, so that no server, whatever it
answers, is asked in a hot loop. Never decides what a trouble means: that is `policy.py`.
"""

from collections.abc import Callable

from nameko_salesforce.bayeux.advice import Advice
from nameko_salesforce.bayeux.backoff import Backoff
from nameko_salesforce.bayeux.exchanges import Exchange
from nameko_salesforce.bayeux.policy import Action, Verdict
from nameko_salesforce.bayeux.transitions import Input

__all__ = ['Pace']

# After ten good polls in a row that were answered within 50 ms and brought nothing, polls keep a distance
# of a second until one is held or brings an event: such a server would be asked a thousand times a second.
IDLE_POLLS = 10
IDLE_ANSWER = 0.05
IDLE_REST = 1.0


class Pace:
    """The memory of one `Session`; every time in seconds of its clock.

    Args:
        backoff: pauses after failures.
        draw: gives a random number in [0, 1).
        handshake_distance: least seconds between two handshakes.

    Attributes:
        failures: attempts failed in a row. Reset by the second good connect in a row: never by a
            handshake, nor by the first connect, which servers always answer at once.
        last_answer: when a connect was answered last, or the session begun.
    """

    def __init__(self, backoff: Backoff, draw: Callable[[], float], handshake_distance: float) -> None:
        self._backoff = backoff
        self._draw = draw
        self._handshake_distance = handshake_distance
        self.failures = 0
        self._good_connects = 0
        self._idle_polls = 0
        self._last_handshake: float | None = None
        self.last_answer = 0.0

    # --- what went well --------------------------------------------------------------------------

    def handshake_sent(self, now: float) -> None:
        self._last_handshake = now

    def session_begun(self, now: float) -> None:
        """A handshake was accepted."""
        self.last_answer = now
        self._good_connects = self._idle_polls = 0

    def connect_answered(self, exchange: Exchange, now: float) -> None:
        """A connect was successful: the server knows the session, whatever it advises."""
        self.last_answer = now
        idle = not exchange.brought_events and now - exchange.sent_at < IDLE_ANSWER
        self._idle_polls = self._idle_polls + 1 if idle else 0

    def connect_good(self) -> None:
        """A connect was successful, and the session may go on."""
        self._good_connects += 1
        if self._good_connects >= 2:
            self.failures = 0

    def rest(self, advice: Advice) -> float:
        """Seconds between the end of a good connect and the next."""
        return max(advice.interval, IDLE_REST if self._idle_polls >= IDLE_POLLS else 0.0)

    # --- what went wrong -------------------------------------------------------------------------

    def after(self, verdict: Verdict, advice: Advice, has_session: bool, now: float) -> tuple[Input, float]:
        """Count a trouble: what follows it, and after how many seconds.

        Args:
            has_session: there is one that could be tried again.
        """
        self._good_connects = 0
        self.failures += 1
        if verdict.action is Action.HALT:
            return Input.HALT, 0.0
        grown = self._backoff.delay(self.failures, self._draw())
        least = max(verdict.pause, advice.interval)
        if verdict.action is Action.RETRY:
            pause = max(grown, least)
            if not has_session:
                return Input.RETRY, max(pause, self._to_next_handshake(now))
            if not self._must_be_gone(advice, now + pause):
                return Input.RETRY, pause
        # The first new session comes at once: it is routine. From the second in a row on, we back off.
        at_once = 0.0 if self.failures == 1 else grown
        event = Input.LOGIN if verdict.action is Action.LOGIN else Input.HANDSHAKE
        return event, max(at_once, least, self._to_next_handshake(now))

    def _to_next_handshake(self, now: float) -> float:
        """No answer of any server may make handshakes a hot loop."""
        if self._last_handshake is None:
            return 0.0
        return max(0.0, self._last_handshake + self._handshake_distance - now)

    def _must_be_gone(self, advice: Advice, then: float) -> bool:
        """Whether the server has forgotten the session by then (CometD: `maxInterval` advice)."""
        if advice.max_interval is None:
            return False
        lives = (advice.timeout or 0.0) + max(advice.interval, 0.0) + advice.max_interval
        return then - self.last_answer > lives
