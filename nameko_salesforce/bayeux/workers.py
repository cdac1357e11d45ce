"""Spawning Nameko workers for events, bounded. Floor 3.

Invariant: a slot that was taken is given back exactly once, whatever becomes of its worker.
Nameko skips `handle_result` for a worker that ends by `eventlet.Timeout`, `SystemExit` or a kill;
the connection's heartbeat therefore calls `reap`.
"""

from collections.abc import Callable
from typing import Any

import eventlet
from eventlet.semaphore import Semaphore
from nameko.exceptions import ContainerBeingKilled

__all__ = ['Workers']


class Workers:
    """The share of a container's worker pool that events may use.

    Args:
        container: the Nameko service container.
        slots: workers at a time; one less than the pool leaves room for the service's other entrypoints.
    """

    def __init__(self, container: Any, slots: int) -> None:
        self._container = container
        self._slots = Semaphore(slots)
        self._running: dict[Any, Callable[[], None]] = {}

    def spawn(self, entrypoint: Any, args: tuple[Any, ...], context_data: dict[str, Any]) -> None:
        """Run a handler; waits for a slot, and for the pool where other entrypoints have filled it.

        A container that is being killed gets no more work. A kill of the calling green thread ends
        either wait and leaves no slot taken.

        Args:
            context_data: a dict of this worker alone: Nameko 3 writes the call stack into it.
        """
        self._slots.acquire()
        finish = self._finisher()
        spawned = False
        try:
            worker_ctx = self._container.spawn_worker(
                entrypoint,
                args,
                {},
                context_data=context_data,
                handle_result=lambda _, result, exc_info: self._result(finish, result, exc_info),
            )
            spawned = True
        except ContainerBeingKilled:
            return
        finally:
            if not spawned:
                finish()
        # No switch since the worker was spawned, so it has not begun. The container's table is private, and
        # the same in Nameko 2.14 and 3.0; a link on the green thread would not be called where it matters
        # (the container's own link raises first).
        thread = self._container._worker_threads.get(worker_ctx)
        if thread is not None:  # not `if thread`: one that has not begun is false
            self._running[thread] = finish

    def reap(self) -> None:
        """Give back the slots of workers that ended without a result."""
        for thread, finish in list(self._running.items()):
            if thread.dead:
                finish()
                self._running.pop(thread, None)

    def _result(self, finish: Callable[[], None], result: Any, exc_info: Any) -> tuple[Any, Any]:
        finish()
        self._running.pop(eventlet.getcurrent(), None)
        return result, exc_info

    def _finisher(self) -> Callable[[], None]:
        finished = False

        def finish() -> None:
            nonlocal finished
            if not finished:
                finished = True
                self._slots.release()

        return finish
