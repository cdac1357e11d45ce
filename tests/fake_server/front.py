"""The HTTP side of the fake: requests to the broker, answers and faults to the wire.

A held connect costs one waiting coroutine. Statuses and suffix routing follow the reference server.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from random import Random
from typing import Any, TypeVar

from aiohttp import web

from .answers import Answer
from .broker import Broker
from .clock import Clock
from .decoding import loads
from .faults import Ending, Fault, FaultKind, FaultSchedule, Wire, damage, harm, render
from .journal import Journal, Kind
from .replies import Reply
from .rules import Rules
from .settings import PROFILES, BrokerSettings, SalesforceSettings
from .writing import Writer

__all__ = ['Front']

T = TypeVar('T')


class Front:
    """One server: a broker, its clock, its fault schedule, and the connections that wait.

    Invariant: after every call into the broker `settle` runs, before anything is awaited.

    Args:
        settings: of the broker.
        gzip: compress answers for clients that accept it.
        seed: for client ids and cookies; None takes chance from the system.
        speed: how many seconds pass on its clock in one real second.
        make_rules: makes the org behind profile `salesforce`, at start and at each reset. It is given this
            front, whose broker it may publish to (with `act`) as soon as it has returned. None: everybody
            with a token is let in, and every channel exists.

    Attributes:
        broker: replaced by `reset`.
        faults: the schedule; replaced by `reset`.
        clock: tests may push it; replaced by `reset`.
        changed: set by the next entry of the journal, and then replaced by a fresh one: take it, look at
            the journal, wait for what you took.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        gzip: bool = False,
        seed: int | None = None,
        speed: float = 1.0,
        make_rules: Callable[['Front'], Rules] | None = None,
    ) -> None:
        self._initial = self._settings = settings
        self._speed = speed
        self._make_rules = make_rules
        self._writer = Writer(gzip=gzip, speed=speed)
        self._seed = seed
        self._exchanges = count(1)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: dict[int, asyncio.Future[Answer | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for: float | None = None
        self.clock = Clock(speed)
        self.faults = FaultSchedule()
        self.changed = asyncio.Event()
        self.broker = self._new_broker()

    # --- for the control endpoints --------------------------------------------------------------

    def act(self, action: Callable[[Broker, float], T]) -> T:
        """Do something with the broker, and let its consequences happen."""
        try:
            return action(self.broker, self.clock.now())
        finally:
            self.settle()

    def advance(self, seconds: float) -> None:
        """Push the clock; what is due happens before this returns."""
        self.clock.advance(seconds)
        self._tick()

    def restart(self) -> None:
        """Lose sessions and queues; the connections of held polls break."""
        for exchange_id in self.act(lambda broker, now: broker.restart(now)):
            self._answer(exchange_id, None)

    def reset(self, profile: object = None) -> None:
        """Back to the state at start: settings, clock, faults, journal, sessions.

        Args:
            profile: name of another profile to take from now on, with its own settings; None keeps it.
        Raises:
            ValueError: no such profile. Nothing happened.
        """
        if profile is not None:
            self._settings = self._settings_of(profile)
        for task in self._tasks:
            task.cancel()  # delayed, unanswered, held: nothing of the old world may reach the new one
        self.faults = FaultSchedule()
        self.clock = Clock(self._speed)
        self._waiting.clear()
        self.broker = self._new_broker()
        self.settle()

    def settle(self) -> None:
        """Hand over what the broker released, and set the timer to its deadline."""
        for exchange_id, answer in self.broker.take_answers():
            self._answer(exchange_id, answer)
        deadline = self.broker.deadline
        if deadline != self._timer_for:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._timer_for = deadline
            if deadline is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self.clock.real_seconds_until(deadline), self._tick)

    # --- CometD ---------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request below `/cometd`."""
        return await self._until_reset(self._handle(request))

    async def _until_reset(self, work: Coroutine[Any, Any, web.StreamResponse]) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.method != 'POST':
            return web.Response(status=400, text='Unknown Bayeux Transport')
        raw = await request.read()
        try:
            body = await _decode(request, raw)
        except _WrongContentType:
            return web.Response(status=500)
        except (ValueError, LookupError, RecursionError):
            return web.Response(status=400)
        messages = body if isinstance(body, list) else [body]
        names = [message.get('channel') for message in messages if isinstance(message, dict)]
        exchange_id = next(self._exchanges)
        fault = self.faults.strike(names)
        if fault is not None:
            detail = {'fault': fault.as_json(), 'channels': names}
            self.broker.journal.write(self.clock.now(), Kind.FAULT, exchange=exchange_id, detail=detail)
            if not fault.reaches_broker:
                if fault.kind is not FaultKind.DELAY:
                    return await self._writer.write(request, self.clock, damage(fault, None))
                await self.clock.sleep(fault.seconds)
                fault = None
        answer = await self._ask(exchange_id, body, request, len(raw))
        return await self._writer.write(request, self.clock, _wire(fault, answer))

    async def _ask(self, exchange_id: int, body: Any, request: web.Request, size: int) -> Answer | None:
        """The broker's answer, waited for if it is held; None when there will be none."""
        answer = self.act(
            lambda broker, now: broker.receive(
                exchange_id,
                body,
                dict(request.cookies),
                now,
                size=size,
                authorization=request.headers.get('Authorization'),
                path=request.match_info.get('rest', ''),
            )
        )
        if answer is not None:
            return answer
        waiting: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting[exchange_id] = waiting
        try:
            return await waiting
        except asyncio.CancelledError:
            # After a reset the exchange is one of a world that is no more.
            if self._waiting.pop(exchange_id, None) is not None:
                self.act(lambda broker, now: broker.gone(exchange_id, now))
            raise

    # --- everything else --------------------------------------------------------------------------

    async def serve(
        self,
        request: web.Request,
        kind: Kind,
        detail: Mapping[str, Any],
        answer: Callable[[float], Reply],
    ) -> web.StreamResponse:
        """A request that is not for CometD: it is noted in the journal, and faults can strike it.

        Args:
            request: its body has been read.
            kind: of the entry; faults that name it, or the path, strike this request.
            detail: of the entry; `status` and `error` are added.
            answer: called with the time, unless a fault comes before.
        """
        return await self._until_reset(self._serve(request, kind, detail, answer))

    async def _serve(
        self,
        request: web.Request,
        kind: Kind,
        detail: Mapping[str, Any],
        answer: Callable[[float], Reply],
    ) -> web.StreamResponse:
        exchange_id = next(self._exchanges)
        names = [kind.value, request.path]
        fault = self.faults.strike(names, unnamed=False)
        if fault is not None:
            struck = {'fault': fault.as_json(), 'channels': names}
            self.broker.journal.write(self.clock.now(), Kind.FAULT, exchange=exchange_id, detail=struck)
            if not fault.reaches_broker:
                if fault.kind is not FaultKind.DELAY:
                    nothing = Wire(200, b'', 0)
                    return await self._writer.write(request, self.clock, harm(fault, nothing) or nothing)
                await self.clock.sleep(fault.seconds)
                fault = None
        if isinstance(self.broker.settings, SalesforceSettings):
            reply = answer(self.clock.now())
        else:
            reply = Reply(404, error='404')  # a plain CometD server has nothing but CometD
        entry = {**detail, 'status': reply.status, 'error': reply.error}
        self.broker.journal.write(self.clock.now(), kind, exchange=exchange_id, detail=entry)
        wire = Wire(reply.status, reply.body, len(reply.body), reply.headers)
        return await self._writer.write(
            request, self.clock, (harm(fault, wire) if fault is not None else None) or wire
        )

    # --- small parts ------------------------------------------------------------------------------

    def _new_broker(self) -> Broker:
        journal = Journal()
        journal.listener = self._announce
        rules = self._make_rules(self) if self._make_rules is not None else None
        return Broker(self._settings, Random(self._seed), journal, rules)

    def _settings_of(self, profile: object) -> BrokerSettings:
        if not isinstance(profile, str) or profile not in PROFILES:
            raise ValueError(f'profile is one of {", ".join(sorted(PROFILES))}')
        chosen = PROFILES[profile]
        return self._initial if type(self._initial) is type(chosen) else chosen

    def _announce(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _tick(self) -> None:
        self._timer_for = None
        self.act(lambda broker, now: broker.elapsed(now))

    def _answer(self, exchange_id: int, answer: Answer | None) -> None:
        waiting = self._waiting.pop(exchange_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


class _WrongContentType(Exception):
    """Neither JSON nor a form."""


def _wire(fault: Fault | None, answer: Answer | None) -> Wire:
    if answer is None:  # the server restarted under a held connect
        return Wire(None, b'', 0, ending=Ending.CLOSED)
    return render(answer) if fault is None else damage(fault, answer)


async def _decode(request: web.Request, raw: bytes) -> Any:
    """The body as JSON; a form's `message` fields as one array (Bayeux 1.0, "long-polling request messages").

    Raises:
        _WrongContentType: neither of the two.
        ValueError, LookupError, RecursionError: not decodable.
    """
    if request.content_type == 'application/json':
        return loads(raw.decode(request.charset or 'utf-8'))
    if request.content_type == 'application/x-www-form-urlencoded':
        form = await request.post()
        messages: list[Any] = []
        for text in form.getall('message', []):
            part = loads(text if isinstance(text, str) else '')
            messages.extend(part if isinstance(part, list) else [part])
        return messages
    raise _WrongContentType
