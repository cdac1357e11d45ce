"""Spawning Nameko workers for events, bounded. Floor 3.

Invariant: a slot that was taken is given back exactly once, and how its worker ended is told exactly once,
whatever becomes of it. Nameko skips `handle_result` for a worker that ends by `eventlet.Timeout`,
`SystemExit` or a kill; the connection's heartbeat therefore calls `reap`.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

import eventlet
from nameko.exceptions import ContainerBeingKilled

from nameko_salesforce.bayeux.bell import Bell
from nameko_salesforce.bayeux.outcomes import HANDLED, NOT_RUN, Ended, Failed, Outcome

__all__ = ['HandlerTimedOut', 'Workers']

log = logging.getLogger('nameko_salesforce.bayeux')


class HandlerTimedOut(Exception):
    """Raised inside a handler that takes longer than its `timeout`.

    An `Exception`, unlike `eventlet.Timeout`: Nameko then tears the worker's dependencies down.
    """


class Workers:
    """The share of a container's worker pool that events may use.

    Args:
        container: the Nameko service container.
        slots: workers at a time; one less than the pool leaves room for the service's other entrypoints.

    Attributes:
        free: slots that nobody has.
    """

    def __init__(self, container: Any, slots: int) -> None:
        self._container = container
        self.free = slots
        self._given_back = Bell()
        self._running: dict[Any, _Worker] = {}

    def wait_for_slot(self) -> None:
        """Wait until there is one; one green thread at a time."""
        while not self.free:
            self._given_back.wait()

    def spawn(
        self,
        entrypoint: Any,
        args: tuple[Any, ...],
        context_data: dict[str, Any],
        *,
        timeout: float | None = None,
        ended: Callable[[Outcome], None] | None = None,
    ) -> bool:
        """Run a handler; waits for a slot, and for the pool where other entrypoints have filled it.

        A container that is being killed gets no more work. A kill of the calling green thread ends
        either wait and leaves no slot taken.

        Args:
            context_data: a dict of this worker alone: Nameko 3 writes the call stack into it.
            timeout: seconds after which `HandlerTimedOut` is raised in the handler; None = never.
            ended: called once with the outcome. What it raises is logged.
        Returns:
            False where the container is being killed: it will take no other one either.
        Raises:
            Exception: what the service's class raises when it is called; where there is `ended`, that is
                told instead.
        """
        worker = _Worker(self, ended)
        outcome: Outcome | None = NOT_RUN
        try:
            self.wait_for_slot()
            self.free -= 1
            worker.has_slot = True
            worker_ctx = self._container.spawn_worker(
                entrypoint,
                args,
                {},
                context_data=context_data,
                handle_result=worker.result,
            )
            outcome = None
        except ContainerBeingKilled:
            return False
        except Exception as error:
            if ended is None:
                raise
            log.exception('%s(): no worker could be made', entrypoint.method_name)
            outcome = Failed(error)
            return True
        finally:
            if outcome is not None:
                worker.end(outcome)
        # No switch since the worker was spawned, so it has not begun.
        self._running[worker_ctx] = worker
        if timeout is not None:
            _limit(worker_ctx.service, entrypoint.method_name, timeout, worker)
        return True

    def reap(self) -> None:
        """Give back the slots of workers that ended without a result."""
        # The container's table is private, and the same in Nameko 2.14 and 3.0; a link on the green thread
        # would not be called where it matters (the container's own link raises first).
        threads = self._container._worker_threads
        for worker_ctx, worker in list(self._running.items()):
            thread = threads.get(worker_ctx)
            if thread is None or thread.dead:
                worker.end(Ended.LOST)
                self._running.pop(worker_ctx, None)

    def give_back(self) -> None:
        """A slot."""
        self.free += 1
        self._given_back.ring()

    def over(self, worker_ctx: Any) -> None:
        """A worker has told its result."""
        self._running.pop(worker_ctx, None)


class _Worker:
    """One worker, from the wait for its slot on.

    Attributes:
        has_slot: it has to be given back.
        timed_out: its time was over, whatever the handler made of that.
    """

    __slots__ = ('_ended', '_over', '_workers', 'has_slot', 'timed_out')

    def __init__(self, workers: Workers, ended: Callable[[Outcome], None] | None) -> None:
        self.has_slot = False
        self.timed_out = False
        self._over = False
        self._workers = workers
        self._ended = ended

    def result(self, worker_ctx: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        """What Nameko calls with a result, or an error, before the dependencies are torn down."""
        self.end(HANDLED if exc_info is None else Failed(exc_info[1]))
        self._workers.over(worker_ctx)
        return result, exc_info

    def end(self, outcome: Outcome) -> None:
        if self._over:
            return
        self._over = True
        if self.has_slot:
            self._workers.give_back()
        if self._ended is None:
            return
        try:
            self._ended(Ended.TIMED_OUT if self.timed_out else outcome)
        except Exception:
            # Out of `handle_result` it would end the service.
            log.exception('the end of a handler could not be told')


def _limit(service: Any, name: str, timeout: float, worker: _Worker) -> None:
    """Have the method of this worker's own service object end in time.

    In its own green thread and around nothing but the method: raised in the setup of a dependency the
    exception would end the container, and in its teardown, too.
    """
    method = getattr(service, name)

    @functools.wraps(method)
    def limited(*args: Any, **kwargs: Any) -> Any:
        timer = eventlet.Timeout(timeout, HandlerTimedOut(f'{name}() took longer than {timeout:g} s'))
        try:
            return method(*args, **kwargs)
        finally:
            worker.timed_out = not timer.pending
            timer.cancel()

    try:
        setattr(service, name, limited)
    except AttributeError:
        log.warning('%s() runs without its timeout: a service with __slots__ cannot have one', name)
