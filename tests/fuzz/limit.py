"""A limit for one example: what hangs is ended, and says what it was given."""

import functools
import signal
import time

__all__ = ['Hangs', 'limited']


class Hangs(BaseException):
    """An example did not end.

    No `Exception`: the code under test may catch those, and Hypothesis would run the example again and again.
    """


def limited(test, limit):
    """The test, ended by `Hangs` where it takes longer than `limit` seconds. In the main thread alone.

    pytest-timeout's own alarm, which there is one of in a process, goes on behind it.
    """

    @functools.wraps(test)
    def run(*args, **kwargs):
        def ring(*_):
            raise Hangs(f'{test.__name__} did not end within {limit:g} s with {kwargs or args!r}')

        began = time.monotonic()
        former = signal.signal(signal.SIGALRM, ring)
        # Again each second, for what swallows even this.
        left, _ = signal.setitimer(signal.ITIMER_REAL, limit, 1.0)
        try:
            return test(*args, **kwargs)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)
            if left:
                signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001))

    run.limit = limit
    return run
