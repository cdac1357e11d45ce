"""aiocometd 0.4.5 on today's Python: `asyncio` lost the argument `loop=` in 3.10, which it still gives.

It is dropped before it reaches `asyncio`; nothing else of the package is touched. That costs some 0.1 us a
call, of the hundred and more that an event costs there.
"""

import asyncio
from typing import Any

__all__ = ['mend']


def mend() -> None:
    """To be called before aiocometd is imported."""
    asyncio.Semaphore = _without_loop(asyncio.Semaphore)  # type: ignore[misc]
    for name in ('Event', 'Condition', 'Queue', 'Lock', 'sleep', 'wait', 'wait_for'):
        setattr(asyncio, name, _without_loop(getattr(asyncio, name)))


def _without_loop(function: Any) -> Any:
    def call(*args: Any, loop: Any = None, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call
