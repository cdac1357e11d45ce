"""How long to wait after failures. Floor 0: a value, no clock and no chance of its own."""

from dataclasses import dataclass

__all__ = ['Backoff']


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Growing, jittered, capped pauses.

    Attributes:
        first: seconds after the first failure before jitter; 1.0 is CometD's step.
        factor: growth per failure. CometD adds a second each time; doubling reaches the cap in seven
            attempts instead of sixty, which spares a server that many clients come back to.
        cap: greatest pause in seconds; 60.0 is the cap of CometD's JavaScript client.
        spread: share of the pause that chance may take away, 0 to 1. A half keeps clients that lost
            one server together from coming back together, yet never makes a pause vanish.
    """

    first: float = 1.0
    factor: float = 2.0
    cap: float = 60.0
    spread: float = 0.5

    def __post_init__(self) -> None:
        if not (self.first >= 0 and self.factor >= 1 and self.cap >= self.first and 0 <= self.spread <= 1):
            raise ValueError(f'{self}: needs first >= 0, factor >= 1, cap >= first, 0 <= spread <= 1')

    def delay(self, failures: int, jitter: float) -> float:
        """Pause before the next attempt.

        Args:
            failures: attempts failed in a row, >= 1.
            jitter: random number in [0, 1), drawn by the caller.
        Returns:
            Seconds, between 0 and `cap`; never shorter than for `failures - 1` at equal jitter.
        Raises:
            ValueError: `failures` below 1. Nothing else.
        """
        if failures < 1:
            raise ValueError(f'failures is {failures}; a pause follows at least one')
        # The exponent is bounded so that a week of failures does not overflow a float.
        whole = min(self.cap, self.first * self.factor ** min(failures - 1, 64))
        return whole * (1 - self.spread * jitter)
