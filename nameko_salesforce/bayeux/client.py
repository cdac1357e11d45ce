"""The eventlet driver: carries out what the session wants, feeds back what came of it. Floor 2.

Outcomes of the lanes, requests of users and passed deadlines reach the session through an inbox, one
after the other, so that nothing ever enters it while it is at work. A green thread of its own takes the
inbox on; a lane that has ended an exchange does so itself instead of waking that thread, and mostly finds
its next exchange in it. Two lane threads do the network, one dispatcher thread runs callbacks. The driver
decides nothing.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Self, overload

import eventlet
from eventlet.event import Event

from nameko_salesforce.bayeux.bell import Bell
from nameko_salesforce.bayeux.channels import check_publishable, check_subscribable, is_meta
from nameko_salesforce.bayeux.dispatch import Callback, Dispatcher, Follower, Listener, Observer
from nameko_salesforce.bayeux.effects import (
    Abandon,
    Answered,
    BrakeChanged,
    ChannelChanged,
    Deliver,
    Effect,
    ForgetCookies,
    Ignored,
    Lane,
    MessageSkipped,
    MetaReply,
    PollAnswered,
    PollLost,
    Prepare,
    PrepareChannel,
    Send,
    StateChanged,
)
from nameko_salesforce.bayeux.errors import LocalError, MessageTooLarge, RemoteError, Stopped
from nameko_salesforce.bayeux.failures import Failure
from nameko_salesforce.bayeux.lane import Extension, LaneThread
from nameko_salesforce.bayeux.messages import Connect, Delivery, Incoming, Publish
from nameko_salesforce.bayeux.options import SessionOptions, waitable
from nameko_salesforce.bayeux.policy import GenericPolicy, Policy
from nameko_salesforce.bayeux.preparation import NoPreparation, Preparation, Preparations
from nameko_salesforce.bayeux.report import Report
from nameko_salesforce.bayeux.results import Result
from nameko_salesforce.bayeux.session import Session
from nameko_salesforce.bayeux.subscriptions import ChannelStatus
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.bayeux.transport import Transport, TransportOptions

__all__ = ['Client']

log = logging.getLogger('nameko_salesforce.bayeux')

# Time beyond the session's own disconnect timeout after which `stop` no longer waits.
STOP_MARGIN = 1.0

# Seconds that a lane waits for callbacks before the log says so; CometD forgets a session after 10.
SLOW_CALLBACKS = 10.0

Call = Callable[[float], list[Effect]]


class Client:
    """A Bayeux client that stays connected until it is stopped.

        with Client('http://127.0.0.1:8080/cometd') as client:
            client.subscribe('/chat', lambda event: print(event.data)).get(timeout=10)
            client.publish('/chat', {'text': 'hello'}).get(timeout=10)

    It works in a process that is monkey-patched by eventlet and in one that is not; callbacks run in a
    green thread of their own, so an unpatched program has to give way now and then (`eventlet.sleep`).

    Args:
        url: of the server, 'http://' or 'https://'.
        headers: called for each request; returns the headers to add, such as `Authorization`.
        session: protocol and timing, see `SessionOptions`.
        transport: network, TLS and proxy, see `TransportOptions`.
        policy: what refusals and failures mean, see `GenericPolicy`.
        preparation: fetches what a session and its subscriptions need before they are asked for.
        extensions: Bayeux extensions, see `Extension`.
        mailbox_limit: events that may wait for callbacks before the reading of responses is slowed.
        mailbox_characters: of their JSON text, the same. 8 Mi: as Python objects some 30 MB.
        observe: called with every `StateChanged`, `ChannelChanged` and `MessageSkipped`.
        follow: for those who keep positions: called with every `Deliver`, before the callbacks of its
            events, and with `PollAnswered` and `PollLost`, in the order of arrival and in the callbacks'
            green thread.
        spawn: starts a green thread; a framework passes its own.
        clock: seconds, monotonic.
        draw: random numbers in [0, 1), for jitter.

    Raises:
        LocalError: the URL or an option is wrong. Nothing is connected before `start`.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] | None = None,
        session: SessionOptions = SessionOptions(),  # noqa: B008 - frozen
        transport: TransportOptions = TransportOptions(),  # noqa: B008 - frozen
        policy: Policy = GenericPolicy(),  # noqa: B008 - frozen
        preparation: Preparation = NoPreparation(),  # noqa: B008 - frozen
        extensions: Iterable[Extension] = (),
        mailbox_limit: int = 1000,
        mailbox_characters: int = 8 * 2**20,
        observe: Observer | None = None,
        follow: Follower | None = None,
        spawn: Callable[[Callable[[], None]], Any] = eventlet.spawn,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        if headers is not None and not callable(headers):
            raise LocalError(
                'headers: a function that returns a mapping is asked for, called for each request'
            )
        self._session_options = session
        self._transport_options = transport
        self._policy = policy
        self._preparation = preparation
        self._spawn = spawn
        self._clock = clock
        self._draw = draw
        self._transport = Transport(url, headers=headers, options=transport)
        self._report = Report(lambda: self._transport.url, clock, self._all_durable)
        self._session = Session(session, policy, draw)
        self._polls: list[int] = []  # of which the follower has not been told how they ended
        self._inbox: deque[Call] = deque()
        self._news = Bell()  # of the inbox
        self._limits = (mailbox_limit, mailbox_characters)
        self._dispatcher = Dispatcher(mailbox_limit, mailbox_characters, observe, follow)
        self._let_go: Event | None = None  # sent when the session holds back less again
        self._lanes = {
            Lane.POLL: self._lane(tuple(extensions), self._has_room_for_a_poll, self._wait_to_read_a_poll),
            Lane.COMMAND: self._lane(tuple(extensions), self._has_room, self._wait_for_room),
        }
        self._results: dict[int, Result] = {}
        self._tickets = 0
        self._braked_at: float | None = None
        self._life: object = None  # of the driver; None while there is none
        self._at_work: object = None  # the life whose session is entered just now
        self._broken: str | None = None  # why the session is to be begun anew
        self._awaited: float | None = None  # the deadline that the driver's thread waits for
        self._endings = 0  # calls of stop and kill that are under way
        self._driving: Any = None
        self._dispatching: Any = None
        self._preparations = Preparations(
            type(preparation) is NoPreparation, spawn, self._tell, lambda: self._transport.url
        )
        self._waiters: list[tuple[State, Event]] = []
        self._carriers = self._all_carriers()

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once. Can be called again after a halt or a stop.

        Raises:
            LocalError: it is running, or just being stopped.
        """
        if self._endings:
            raise LocalError('the client is being stopped')
        if self._life is not None and self.state is not State.HALTED:
            raise LocalError(f'the client is running ({self.state.value})')
        if self._life is None:
            # What was asked while nobody drove may have been dropped by a second end.
            self._session = self._renewed_session()
            life = self._life = object()
            self._driving = self._spawn(lambda: self._drive(life))
        if self._dispatching is None:
            self._dispatcher.open()
            self._give_up_polls('the client was stopped')
            self._dispatching = self._spawn(self._dispatcher.run)
        self._tell(self._begin)

    def _begin(self, now: float) -> list[Effect]:
        return self._session.start(now) if self.state in (State.IDLE, State.HALTED) else []

    def stop(self, timeout: float | None = None) -> None:
        """End the session at the server, within a bound, then everything else. Never raises.

        Args:
            timeout: seconds for the server's answer; by default the session's `disconnect_timeout`
                and a second. A server that does not answer is left to find out by itself.
        """
        life = self._life
        if life is None:
            return
        self._endings += 1
        try:
            if self.state is not State.HALTED:
                self._tell(lambda now: self._session.stop(now))
                bound = self._session_options.disconnect_timeout + STOP_MARGIN if timeout is None else timeout
                self.wait_for_state(State.HALTED, bound)
        finally:
            self._endings -= 1
            if self._life is life:
                self.kill()

    def halt(self) -> None:
        """Call no callback from here on; the session goes on until `stop`. Any number of times."""
        # Nobody takes what waits, and an answer to the goodbye must not wait behind a full mailbox.
        self._dispatcher.close()
        dispatching, self._dispatching = self._dispatching, None
        if dispatching is not None and dispatching is not eventlet.getcurrent():
            dispatching.kill()

    def kill(self) -> None:
        """End everything at once, without a word to the server. Any number of times, at any time."""
        self._endings += 1
        try:
            self._forget_life()
        finally:
            self._endings -= 1

    def _forget_life(self) -> None:
        # Up to the first kill nothing gives way, so that nobody sees half of it.
        # The driver goes first: each kill lets other green threads run, and it would start lanes again.
        threads = [self._driving, self._dispatching]
        self._life = self._driving = self._dispatching = None
        self._dispatcher.close()
        if self.state is not State.HALTED:
            self._session = self._empty_session()
        self._inbox, self._news, self._broken = deque(), Bell(), None
        self._answer_all(Stopped('the client was stopped'))
        waiters, self._waiters = self._waiters, []
        for _, waiter in waiters:
            waiter.send(False)  # a stop that waits for the server's answer need not wait any longer
        current = eventlet.getcurrent()
        for thread in threads:
            if thread is not None and thread is not current:
                thread.kill()
        self._abandon_all()

    def _answer_all(self, error: RemoteError) -> None:
        results, self._results = self._results, {}
        for result in results.values():
            result.answer(error)

    def _abandon_all(self) -> None:
        """End every exchange and preparation; none of them has an outcome any more."""
        self._preparations.abandon()
        for lane in self._lanes.values():
            lane.abandon()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- what can be seen ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the connection stands; `IDLE` before the first start and after a kill."""
        return self._session.state

    @property
    def why(self) -> str:
        """Why it stands there, in words."""
        return self._session.why

    @property
    def state_for(self) -> float:
        """Seconds since it came there."""
        return self._clock() - self._report.since

    @property
    def losses(self) -> dict[str, int]:
        """Cause -> how often the connection was lost for it: the server's code, or the kind of a failure."""
        return dict(self._report.losses)

    @property
    def client_id(self) -> str:
        """The id that the server gave the session; '' while there is none."""
        return self._session.client_id

    @property
    def channels(self) -> dict[str, ChannelStatus]:
        """Every wanted channel with its state and the reason of a refusal, in declared order."""
        known = self._session.channels
        waiting = ChannelStatus(ChannelState.WANTED)
        return {name: known.get(name, waiting) for name in self._dispatcher.channels()}

    @property
    def braked_for(self) -> float | None:
        """Seconds since `brake`; None where it is released."""
        return None if self._braked_at is None else self._clock() - self._braked_at

    def wait_for_state(self, state: State, timeout: float | None = None) -> bool:
        """Wait until the connection enters a state.

        Args:
            timeout: seconds; None waits for ever.
        Returns:
            Whether it is, or came, there in time; False at once when the client is killed.
        """
        if self.state is state:
            return True
        waiter = (state, Event())
        self._waiters.append(waiter)
        came = False
        try:
            with eventlet.Timeout(waitable(timeout), False):
                came = bool(waiter[1].wait())
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        return came

    # --- what users ask --------------------------------------------------------------------------

    @overload
    def subscribe(self, channel: str, callback: Callable[[Delivery], Any]) -> Result: ...
    @overload
    def subscribe(
        self, channel: str, callback: Callable[[list[Delivery]], Any], *, together: Literal[True]
    ) -> Result: ...
    def subscribe(self, channel: str, callback: Callback, *, together: bool = False) -> Result:
        """Have `callback(event)` called for each event of a channel, now and after every reconnect.

        Several callbacks on one channel are called in the order in which they were added. One that
        raises is logged, and the others are called all the same.

        Args:
            channel: '/a/b', '/a/*' (one more segment) or '/a/**' (one or more).
            callback: gets a `Delivery`.
            together: it gets a list instead, of those that have come one behind the other in one piece of an
                answer: for who has much to do once for all of them. Such callbacks are the first.
        Returns:
            A result: the server's first word on the channel. A refused channel is tried again, with
            growing pauses; `channels` shows it.
        Raises:
            LocalError: no server could accept the name, or the callback cannot be called.
        """
        check_subscribable(channel)
        _check_callable(channel, callback)
        self._dispatcher.add(channel, callback, together=together)
        return self._ask(
            f'subscribe {channel}',
            lambda ticket: lambda now: self._session.subscribe(channel, ticket, now),
        )

    def unsubscribe(self, channel: str, callback: Callback | None = None) -> Result:
        """End a subscription, or one callback of it; the last callback ends the subscription.

        Raises:
            LocalError: there is no such subscription or callback.
        """
        left = self._dispatcher.remove(channel, callback)
        what = f'unsubscribe {channel}'
        if left:
            result = Result(what, lambda: None, self._where)
            result.answer(None)
            return result
        return self._ask(what, lambda ticket: lambda now: self._session.unsubscribe(channel, ticket, now))

    def publish(self, channel: str, data: Any) -> Result:
        """Publish a message as soon as the session allows. It is sent at most once.

        Args:
            data: any JSON value.
        Raises:
            LocalError: a wildcard or meta channel, or no JSON.
            MessageTooLarge: it does not fit into one request.
        """
        check_publishable(channel)
        self._check_size(channel, data)
        return self._ask(
            f'publish on {channel}',
            lambda ticket: lambda now: self._session.publish(channel, data, ticket, now),
        )

    def listen(self, channel: str, listener: Listener) -> None:
        """Have `listener(reply)` called for each reply on a meta channel, such as '/meta/connect'.

        Raises:
            LocalError: not a meta channel.
        """
        if not is_meta(channel):
            raise LocalError(f'{channel!r}: listen() is for meta channels; use subscribe()')
        _check_callable(channel, listener)
        self._dispatcher.listen(channel, listener)

    def in_order(self, call: Callable[[], Any]) -> None:
        """Have `call()` made behind all that has arrived so far, in the callbacks' green thread.

        A client that is halted or stopped drops it, as it does what waits for callbacks.
        """
        self._dispatcher.in_order(call)

    def brake(self) -> None:
        """Enough for now: the next poll waits. Any number of times, from any green thread; returns at once.

        It waits for `SessionOptions.longest_brake` at most, for a server forgets a client that stays away.
        From then on polls go on at that distance, and the channels that the policy calls durable are
        unsubscribed (`PAUSED` in `channels`) until `release`: what they miss comes again by replay. Events
        that are here already, or that come all the same, are delivered. Commands do not wait. A brake
        outlives the session, and a stop.
        """
        if self._braked_at is None:
            self._braked_at = self._clock()
            self._tell(lambda now: self._session.brake(now))

    def release(self) -> None:
        """Go on at once: poll, and subscribe to what was paused. Any number of times, from anywhere."""
        if self._braked_at is not None:
            self._braked_at = None
            self._tell(lambda now: self._session.release(now))

    # --- the driver ------------------------------------------------------------------------------

    def _drive(self, life: object) -> None:
        while self._life is life:
            if self._broken is not None:
                self._restart(self._broken)
            elif self._at_work is life:
                self._wait_for_news(None)  # a lane, which something that it called holds up
            elif self._inbox:
                self._work(life)
            else:
                self._wait_for_news(self._session.deadline)
                if not self._inbox:
                    self._inbox.append(lambda now: self._session.elapsed(now))

    def _tell(self, call: Call) -> None:
        """Have the session take a call; wakes the driver."""
        self._inbox.append(call)
        self._news.ring()

    def _tell_at_once(self, call: Call) -> None:
        """The same in the calling thread, which is a lane's and has no exchange under way.

        It saves the hub two turns for each poll.
        """
        self._inbox.append(call)
        life = self._life
        if life is not None:
            self._work(life)
        deadline = self._session.deadline
        sooner = deadline is not None and (self._awaited is None or deadline < self._awaited)
        if sooner or self._inbox or self._broken is not None:
            self._news.ring()

    def _wait_for_news(self, deadline: float | None) -> None:
        self._awaited = deadline
        self._news.wait(None if deadline is None else max(0.0, deadline - self._clock()))

    def _work(self, life: object) -> None:
        """Take what is in the inbox, and carry out what the session wants. The one way in.

        Does nothing while another thread does that, or while the session is to be begun anew.
        """
        if self._at_work is life or self._broken is not None:
            return
        self._at_work = life
        try:
            while self._inbox and self._life is life:
                for effect in self._inbox.popleft()(self._clock()):
                    if self._life is not life:
                        return  # something that was called from here has killed the client
                    self._carriers[type(effect)](effect)
            if self._let_go is not None and not self._holds_enough():
                let_go, self._let_go = self._let_go, None
                let_go.send()
        except (Exception, eventlet.Timeout) as exc:
            # Our bug, or a policy that raises. The session may be anywhere, so begin another one
            # with the same subscriptions: a stream that ends here would end silently.
            log.exception('%s: the session failed from within and is begun anew', self._transport.url)
            if self._life is life:
                self._broken = repr(exc)
        finally:
            if self._at_work is life:
                self._at_work = None

    def _all_durable(self) -> bool:
        channels = self._dispatcher.channels()
        return bool(channels) and all(map(self._policy.is_durable, channels))

    def _restart(self, why: str) -> None:
        self._abandon_all()
        self._answer_all(Stopped(why))
        self._give_up_polls(why)
        self._inbox.clear()  # outcomes of the old session mean nothing to the new one
        pause = self._session_options.backoff.delay(3, self._draw())
        old, self._session = self._session.state, self._renewed_session()
        self._state_changed(StateChanged(old, State.IDLE, f'failed from within: {why}', 1, pause))
        eventlet.sleep(pause)
        self._broken = None
        if not self._endings:
            self._tell(self._begin)

    def _give_up_polls(self, why: str) -> None:
        """Tell the follower of polls whose end no session will tell."""
        for poll in list(self._polls):
            self._poll_ended(PollLost(poll, why))

    def _empty_session(self) -> Session:
        return Session(self._session_options, self._policy, self._draw, self._session.last_exchange)

    def _renewed_session(self) -> Session:
        session = self._empty_session()
        for channel in self._dispatcher.channels():
            session.subscribe(channel, NOBODY, self._clock())
        if self._braked_at is not None:
            session.brake(self._clock())
        return session

    def _all_carriers(self) -> dict[type[Effect], Callable[[Any], None]]:
        """Who carries out what: every effect there is."""
        return {
            Deliver: self._dispatcher.arrived,
            PollAnswered: self._poll_ended,
            PollLost: self._poll_ended,
            Send: self._send,
            MetaReply: lambda effect: self._dispatcher.meta(effect.reply),
            Answered: self._answered,
            StateChanged: self._state_changed,
            ChannelChanged: self._channel_changed,
            BrakeChanged: self._report.brake_changed,
            Prepare: self._prepare,
            PrepareChannel: self._prepare_channel,
            Abandon: lambda effect: self._lanes[effect.lane].abandon(),
            ForgetCookies: lambda _: self._transport.forget_cookies(),
            MessageSkipped: self._message_skipped,
            Ignored: lambda effect: self._report.ignored(effect.what),
        }

    def _poll_ended(self, effect: PollAnswered | PollLost) -> None:
        self._polls.remove(effect.poll)
        self._dispatcher.arrived(effect)

    def _send(self, effect: Send) -> None:
        if isinstance(effect.requests[0], Connect):
            self._polls.append(effect.exchange)
        self._report.sent(effect)
        self._lanes[effect.lane].send(effect)

    def _answered(self, effect: Answered) -> None:
        result = self._results.pop(effect.ticket, None)
        if result is not None:
            result.answer(effect.error)

    def _channel_changed(self, change: ChannelChanged) -> None:
        self._report.channel_changed(change)
        self._dispatcher.tell(change)

    def _message_skipped(self, effect: MessageSkipped) -> None:
        self._report.skipped(effect.skipped)
        self._dispatcher.tell(effect)

    def _prepare(self, command: Prepare) -> None:
        attempt = command.attempt

        def prepare() -> Call:
            prepared = self._preparation.prepare(login=command.login)
            if prepared.url is not None:
                self._transport.url = prepared.url
            ext = dict(prepared.ext or {})
            return lambda now: self._session.prepared(attempt, ext, now)

        def failed(failure: Failure | str) -> Call:
            return lambda now: self._session.preparation_failed(attempt, failure, now)

        self._preparations.begin('a session', prepare, failed)

    def _prepare_channel(self, command: PrepareChannel) -> None:
        channel, attempt = command.channel, command.attempt

        def prepare() -> Call:
            ext = dict(self._preparation.prepare_channel(channel, refusal=command.refusal) or {})
            return lambda now: self._session.channel_prepared(channel, attempt, ext, now)

        def failed(failure: Failure | str) -> Call:
            reason = f'preparation failed: {failure}'
            return lambda now: self._session.channel_preparation_failed(channel, attempt, reason, now)

        self._preparations.begin(channel, prepare, failed)

    # --- what lanes report -----------------------------------------------------------------------

    def _lane(
        self,
        extensions: tuple[Extension, ...],
        has_room: Callable[[], bool],
        wait_for_room: Callable[[], None],
    ) -> LaneThread:
        return LaneThread(
            self._transport.connection(),
            extensions,
            self._spawn,
            self._received,
            self._finished,
            self._failed,
            has_room,
            wait_for_room,
        )

    def _receive(self, exchange: int, messages: list[Incoming], characters: int) -> Call:
        def receive(now: float) -> list[Effect]:
            self._report.received(exchange, messages)
            return self._session.received(exchange, messages, now, characters)

        return receive

    def _received(self, exchange: int, messages: list[Incoming], characters: int) -> None:
        self._tell(self._receive(exchange, messages, characters))

    def _finished(self, exchange: int, messages: list[Incoming], characters: int) -> None:
        if messages:
            # A call of its own: what it delivers is on its way before anything is judged, which may raise.
            self._inbox.append(self._receive(exchange, messages, characters))
        self._tell_at_once(lambda now: self._session.finished(exchange, now))

    def _failed(self, exchange: int, failure: Failure) -> None:
        self._tell_at_once(lambda now: self._session.failed(exchange, failure, now))

    def _has_room(self) -> bool:
        return self._dispatcher.has_room

    def _has_room_for_a_poll(self) -> bool:
        return self._dispatcher.has_room and not self._holds_enough()

    def _wait_for_room(self) -> None:
        # The driver counts what was received when it runs, at the latest when the lane has read the next
        # 64 KiB (`turns.py`): by so much are the limits passed.
        if not self._dispatcher.wait_for_room(SLOW_CALLBACKS):
            self._report.slow_callbacks()
            self._dispatcher.wait_for_room()

    def _wait_to_read_a_poll(self) -> None:
        self._wait_for_room()
        while self._holds_enough():
            self._let_go = Event()
            self._let_go.wait()
            self._wait_for_room()

    def _holds_enough(self) -> bool:
        events, characters = self._session.held_back
        most, longest = self._limits
        return events > most or characters > longest

    # --- telling ---------------------------------------------------------------------------------

    def _state_changed(self, change: StateChanged) -> None:
        self._report.state_changed(change)
        self._dispatcher.tell(change)
        for waiter in [each for each in self._waiters if each[0] is change.new]:
            self._waiters.remove(waiter)
            waiter[1].send(True)

    # --- requests --------------------------------------------------------------------------------

    def _ask(self, what: str, call: Callable[[int], Call]) -> Result:
        self._tickets += 1
        ticket = self._tickets
        result = Result(what, lambda: self._withdraw(ticket), self._where)
        self._results[ticket] = result
        self._tell(call(ticket))
        return result

    def _where(self) -> str:
        why = f', {self.why}' if self.why else ''
        return f'the client is {self.state.name}{why}'

    def _withdraw(self, ticket: int) -> None:
        # The result stays: others may wait for it, and an answer to what was sent still comes.
        if ticket in self._results:
            self._tell(lambda now: self._session.withdraw(ticket))

    def _check_size(self, channel: str, data: Any) -> None:
        options = self._transport_options
        try:
            size = len(options.codec.encode(Publish('0' * 10, '0' * 40, channel, data).wire()))
        except (TypeError, ValueError, RecursionError) as exc:
            raise LocalError(f'{channel}: the data is no JSON: {exc}') from None
        if size + 2 >= options.request_limit:
            raise MessageTooLarge(
                f'{channel}: a message of {size} bytes does not fit into a request of '
                f'{options.request_limit} bytes'
            )


# The ticket of a subscription that nobody waits for.
NOBODY = 0


def _check_callable(channel: str, callback: object) -> None:
    if not callable(callback):
        raise LocalError(f'{channel!r}: {callback!r} cannot be called')
