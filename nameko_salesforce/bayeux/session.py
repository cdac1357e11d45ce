"""The Bayeux session: handshake, connect, subscribe, and the way back after every failure. Floor 1: pure.

No clock, no I/O, no chance of its own: `now` (seconds of any monotonic clock) goes in with every
call, effects come out (`effects.py`), and `deadline` says when to call `elapsed`. So a test can put
a session anywhere and feed it anything.

What happened is first turned into one of few inputs, replies and failures by way of the policy;
the table in `transitions.py` then decides. Two lanes, each with at most one exchange outstanding:
*poll* carries `/meta/handshake` and `/meta/connect`, *command* everything else.

What did not fit into the table, each a function here:
    received                deliver first: events leave before anything is judged
    _judge_poll             judge afterwards: once a response has ended, whole or broken
    _poll                   a poll waits for the rest and for the brake, and not for ever
    _hold_overtakers        new events wait for the answer that replays what was before them
    _release_overtakers     and for no more than that
    _unreplayed             what an overtaken exchange brings is dropped, but for events nobody replays
and, in other modules:
    Brake                   how long a poll may wait for those who take the events
    Pace                    pauses and rests; only the second good connect in a row resets the failure count
    Exchange.match          a reply belongs to the request with its id, or to nothing
    objection               version and connection type (`negotiation.py`)
    CommandLane.judge       what a command's reply means
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nameko_salesforce.bayeux.advice import Advice, Reconnect
from nameko_salesforce.bayeux.brake import Brake
from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.bayeux.commands import ENDS_SESSION, CommandLane
from nameko_salesforce.bayeux.effects import (
    Abandon,
    BrakeChanged,
    Deliver,
    Effect,
    ForgetCookies,
    Ignored,
    Lane,
    MessageSkipped,
    MetaReply,
    Prepare,
    Send,
    StateChanged,
)
from nameko_salesforce.bayeux.errors import LocalError, Stopped
from nameko_salesforce.bayeux.exchanges import Exchange, Exchanges
from nameko_salesforce.bayeux.failures import Failure, FailureKind
from nameko_salesforce.bayeux.messages import (
    Connect,
    Delivery,
    Disconnect,
    Handshake,
    Incoming,
    Reply,
    Request,
    Skipped,
)
from nameko_salesforce.bayeux.negotiation import granted_ack, objection
from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.pace import Pace
from nameko_salesforce.bayeux.policy import Action, Policy, Step, Trouble, Verdict
from nameko_salesforce.bayeux.subscriptions import ChannelStatus, Subscriptions
from nameko_salesforce.bayeux.transitions import CONNECTION, Do, Input, State

__all__ = ['Session']

# To look a member up takes five times as long as another attribute (Python 3.11); each poll asks for twenty.
_CONNECTED, _HALTED = State.CONNECTED, State.HALTED
_HANDSHAKING, _DISCONNECTING = State.HANDSHAKING, State.DISCONNECTING
_POLL, _COMMAND = Lane.POLL, Lane.COMMAND
_NOTHING, _WAIT = Do.NOTHING, Do.WAIT
_ANSWERED, _RETRY = Input.ANSWERED, Reconnect.RETRY


class Session:
    """One client's session with one server, over any number of handshakes.

    Args:
        options: see `SessionOptions`.
        policy: what refusals and failures mean.
        draw: gives a random number in [0, 1), for jitter.
        last_exchange: number of the last exchange of the session before, so that none comes twice.

    Every method that takes `now` returns effects to be carried out in order. A call that does not
    fit the state raises `LocalError` and changes nothing; outcomes of overtaken work are ignored.
    """

    def __init__(
        self, options: SessionOptions, policy: Policy, draw: Callable[[], float], last_exchange: int = 0
    ) -> None:
        self._options = options
        self._policy = policy
        self._pace = Pace(options.backoff, draw, options.handshake_distance)
        self._brake = Brake(options.longest_brake)
        self._effects: list[Effect] = []
        self._state = State.IDLE
        self._deadline: float | None = None
        self._rested_at = 0.0  # when the next poll may go out
        self._why = ''
        self._attempt = 0  # of preparations
        self._login_wanted = False
        self._prepared_ext: Mapping[str, Any] = {}
        self._client_id = ''
        self._advice = Advice()
        self._ack: int | None = None
        self._exchanges = Exchanges(last_exchange)
        self._ids = 0  # of messages
        emit = self._effects.append
        self._channels = Subscriptions(options.backoff, draw, emit)
        self._commands = CommandLane(self._channels, policy, options.backoff, draw, emit)

    # --- what can be seen ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._state

    @property
    def why(self) -> str:
        """Why the session is in its state."""
        return self._why

    @property
    def client_id(self) -> str:
        """The id that the server gave the session; '' while there is none."""
        return self._client_id

    @property
    def channels(self) -> dict[str, ChannelStatus]:
        return self._channels.status()

    @property
    def last_exchange(self) -> int:
        """The number of the last exchange."""
        return self._exchanges.last

    @property
    def failures(self) -> int:
        """Attempts failed in a row."""
        return self._pace.failures

    @property
    def held_back(self) -> tuple[int, int]:
        """Events that wait for the answer to their own subscribe, and the characters of their text.

        They are here, and in no mailbox: who reads the poll's response has to read no further when there
        are many. The command lane brings the answer that they wait for, and must go on.
        """
        return self._exchanges.held_back

    @property
    def deadline(self) -> float | None:
        """When `elapsed` is to be called; None while only an outcome can move the session."""
        due = None
        if self._commands.waits and self._state is _CONNECTED and self._exchanges.is_free(_COMMAND):
            due = self._commands.next_due()
        if due is None or self._deadline is None:
            return self._deadline if due is None else due
        return min(due, self._deadline)

    # --- what users ask --------------------------------------------------------------------------

    def start(self, now: float) -> list[Effect]:
        self._move(Input.START, now, 'started')
        return self._take()

    def stop(self, now: float) -> list[Effect]:
        self._move(Input.STOP, now, 'stopped')
        return self._take()

    def subscribe(self, channel: str, ticket: int, now: float) -> list[Effect]:
        """Want a channel; the ticket's answer is the server's first word on it. `Stopped` once halted."""
        self._channels.subscribe(channel, ticket, now)
        return self._after_request(now)

    def unsubscribe(self, channel: str, ticket: int, now: float) -> list[Effect]:
        """Want a channel no longer."""
        self._channels.unsubscribe(channel, ticket)
        return self._after_request(now)

    def publish(self, channel: str, data: Any, ticket: int, now: float) -> list[Effect]:
        """Send a message once the session allows; it is never sent twice. `Stopped` once halted."""
        self._commands.publish(channel, data, ticket)
        return self._after_request(now)

    def withdraw(self, ticket: int) -> list[Effect]:
        """Forget a message that was not sent yet; one that was sent is not called back."""
        self._commands.withdraw(ticket)
        return self._take()

    def brake(self, now: float) -> list[Effect]:
        """Have the next poll wait, for `longest_brake` at most; any number of times, in any state."""
        if self._brake.put_on(now):
            self._effects.append(BrakeChanged(True, False, 0.0))
            self._poll_again(now)
        return self._take()

    def release(self, now: float) -> list[Effect]:
        """Go on; any number of times, in any state."""
        lasted = self._brake.take_off(now)
        if lasted is not None:
            self._effects.append(BrakeChanged(False, False, lasted))
            self._channels.resume('the brake is released')
            self._poll_again(now)
        return self._after_request(now)

    # --- outcomes --------------------------------------------------------------------------------

    def prepared(self, attempt: int, ext: Mapping[str, Any] | None, now: float) -> list[Effect]:
        if self._preparing(attempt):
            self._prepared_ext = ext or {}
            self._login_wanted = False
            self._move(Input.PREPARED, now, 'prepared')
        return self._take()

    def preparation_failed(self, attempt: int, failure: Failure | str, now: float) -> list[Effect]:
        """Credentials could not be had; a text is a refusal, a `Failure` an exchange that failed."""
        if self._preparing(attempt):
            if isinstance(failure, Failure):
                self._meet(self._trouble(Step.PREPARE, failure=failure), now)
            else:
                self._meet(self._trouble(Step.PREPARE, reply=Reply('', error=failure)), now)
        return self._take()

    def channel_prepared(
        self, channel: str, attempt: int, ext: Mapping[str, Any] | None, now: float
    ) -> list[Effect]:
        self._channels.prepared(channel, attempt, ext)
        return self._after_request(now)

    def channel_preparation_failed(self, channel: str, attempt: int, reason: str, now: float) -> list[Effect]:
        self._channels.preparation_failed(channel, attempt, reason, now)
        return self._after_request(now)

    def received(
        self, exchange: int, messages: Sequence[Incoming], now: float, characters: int = 0
    ) -> list[Effect]:
        """Messages of a response, as they were decoded. Events leave at once; replies are kept.

        Nothing is judged before the response has ended, so that a failed reply in front of events
        cannot cost them. `characters` is the length of their text.
        """
        current = self._exchanges.find(exchange)
        deliveries: list[Delivery] = []
        for message in messages:
            if type(message) is Delivery:
                deliveries.append(message)
                if message.advice is not None and current is not None:
                    self._advice = self._advice.merge(message.advice)
            elif type(message) is Skipped:
                self._effects.append(MessageSkipped(message))
            elif type(message) is Reply and current is not None:
                self._take_reply(current, message)
            else:
                self._effects.append(Ignored(f'exchange {exchange}: {message}'))
        if current is None:
            deliveries = self._unreplayed(deliveries)
        elif deliveries:
            current.brought_events = True
            if self._exchanges.beside(current.lane) is not None and any(
                map(self._policy.is_durable, {each.channel for each in deliveries})
            ):
                self._exchanges.brought(current.lane)
            deliveries, characters = self._hold_overtakers(deliveries, current.lane, characters)
        if deliveries:
            lane = _POLL if current is None else current.lane
            self._effects.insert(0, Deliver(lane, deliveries, characters, self._exchanges.in_doubt))
        return self._take()

    def finished(self, exchange: int, now: float) -> list[Effect]:
        """The response ended well."""
        return self._ended(exchange, None, now)

    def failed(self, exchange: int, failure: Failure, now: float) -> list[Effect]:
        """The exchange failed; what its response brought before that was `received`."""
        return self._ended(exchange, failure, now)

    def elapsed(self, now: float) -> list[Effect]:
        """Time has passed; harmless when nothing is due."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            ending = self._state is _DISCONNECTING
            self._move(Input.DUE, now, self._why if ending else 'the pause is over')
        return self._after_request(now)

    # --- the table -------------------------------------------------------------------------------

    def _move(
        self, event: Input, now: float, why: str, pause: float = 0.0, *, for_good: bool = False
    ) -> None:
        """The only writer of the state. An impossible pair raises `LocalError` and changes nothing."""
        row = CONNECTION.get((self._state, event))
        if row is None:
            raise LocalError(f'{event.value!r} cannot happen to a session that is {self._state.value}')
        old, self._state = self._state, row.next
        if row.do is _NOTHING:
            return
        self._why = why
        self._deadline = now + pause if row.do is _WAIT else None
        if old is not row.next:
            wait = pause if row.do is _WAIT else None
            self._effects.append(StateChanged(old, row.next, why, self.failures, wait, for_good))
        match row.do:
            case Do.POLL:
                if event is _ANSWERED:
                    self._rested_at = now + self._pace.rest(self._advice)
                self._poll(now)
            case Do.PREPARE:
                self._prepare()
            case Do.HANDSHAKE:
                self._send_handshake(now)
            case Do.CHECK:
                self._send_connect(now, hold=0.0)
            case Do.WAIT:
                if row.next is State.PAUSING:
                    self._leave_session(why, login=event is Input.LOGIN)
            case Do.DISCONNECT:
                self._send_disconnect(now)
            case Do.END:
                self._end(why)

    def _prepare(self) -> None:
        self._attempt += 1
        self._effects.append(Prepare(self._attempt, self._login_wanted))

    def _send_handshake(self, now: float) -> None:
        self._pace.handshake_sent(now)
        ext = {**(self._options.ext or {}), **self._prepared_ext}
        if self._options.ack:
            ext['ack'] = True
        options = self._options
        handshake = Handshake(self._next_id(), options.version, options.minimum_version, ext)
        self._send(_POLL, [handshake], options.network_allowance, now)

    def _send_connect(self, now: float, hold: float | None) -> None:
        ext = None if self._ack is None else {'ack': self._ack}
        held = hold
        if held is None:
            held = self._options.assumed_hold if self._advice.timeout is None else self._advice.timeout
        connect = Connect(self._next_id(), self._client_id, hold, ext)
        self._send(_POLL, [connect], held + self._options.network_allowance, now)

    def _poll(self, now: float) -> None:
        """Send the next connect once it has rested, the brake is off or was on for long enough, and channels
        are settled or have had their time.
        """
        self._pump(now)
        answered = self._pace.last_answer
        due = max(self._rested_at, self._brake.lasts_until(answered, self._advice))
        settled_at = answered + min(self._options.settling, self._brake.longest(self._advice))
        if now < settled_at and self._channels.settling(self._policy.is_durable, settled_at):
            due = max(due, settled_at)
        if now < due:
            self._deadline = due
        else:
            self._deadline = None
            if self._brake.exceed():
                self._pause(now)
            self._send_connect(now, hold=None)

    def _poll_again(self, now: float) -> None:
        """What a poll waits for may have changed: look anew for how long."""
        if self._state is _CONNECTED and self._exchanges.is_free(_POLL):
            self._poll(now)

    def _pause(self, now: float) -> None:
        """The session has to go on, so that what comes again by replay is not sent to us any more."""
        assert self._brake.since is not None
        self._effects.append(BrakeChanged(True, True, now - self._brake.since))
        self._channels.pause(self._policy.is_durable)
        self._pump(now)  # in front of the connect, whose answer would be full of them

    def _leave_session(self, why: str, login: bool) -> None:
        self._login_wanted = self._login_wanted or login
        if login:
            self._effects.append(ForgetCookies())
        self._drop_session(why)

    def _drop_session(self, why: str) -> None:
        """What this session was told and granted ends with it, and so does what it has under way."""
        self._client_id = ''
        self._ack = None
        self._advice = self._advice.after_handshake()
        self._abandon(why)
        self._channels.session_lost(why)

    def _send_disconnect(self, now: float) -> None:
        """The poll is left alone: the server wakes it, and that answers it."""
        self._abandon_lane(_COMMAND, self._why)
        self._deadline = now + self._options.disconnect_timeout
        goodbye = Disconnect(self._next_id(), self._client_id)
        self._send(_COMMAND, [goodbye], self._options.disconnect_timeout, now)

    def _end(self, why: str) -> None:
        self._drop_session(why)
        self._refuse_all()

    def _refuse_all(self) -> None:
        """Nobody can be answered by the server; the wanted channels stay for a new start."""
        stopped = Stopped(self._why)
        self._channels.ended(stopped)
        self._commands.ended(stopped)

    # --- the poll lane ---------------------------------------------------------------------------

    def _ended(self, exchange: int, failure: Failure | None, now: float) -> list[Effect]:
        current = self._exchanges.find(exchange)
        if current is None:
            return self._take()
        lane = current.lane
        self._exchanges.end(lane)
        if current.is_poll and failure is not None and failure.may_hide_events:
            self._effects += self._exchanges.lost(str(failure))
        elif current.is_poll:
            self._effects += self._exchanges.settled(exchange)
        if self._state is _DISCONNECTING:
            if lane is _COMMAND:
                self._move(Input.DISCONNECTED, now, self._why)
            return self._take()  # the poll that the server woke: its "none" is not news
        if lane is _COMMAND:
            self._judge_commands(current, failure, now)
            if self._state in WITH_SESSION:
                self._release_overtakers(current)
                self._effects += self._exchanges.settled(exchange)
        elif self._state is _HANDSHAKING:
            self._judge_handshake(current, failure, now)
        else:
            self._judge_poll(current, failure, now)
        return self._after_request(now)

    def _judge_handshake(self, exchange: Exchange, failure: Failure | None, now: float) -> None:
        reply = exchange.reply
        if reply is None or not reply.successful or failure is not None:
            if reply is None and failure is None:
                failure = Failure(FailureKind.NO_REPLY, '/meta/handshake')
            # A refusal that arrived whole outranks the break behind it.
            refused = reply is not None and not reply.successful
            self._meet(self._trouble(Step.HANDSHAKE, reply, None if refused else failure), now)
            return
        if not reply.client_id:
            # Not a no: the next one may give a session.
            failure = Failure(FailureKind.NO_REPLY, 'the handshake reply holds no clientId')
            self._meet(self._trouble(Step.HANDSHAKE, None, failure), now)
            return
        objected = objection(reply, self._options.version, self._options.minimum_version)
        if objected:
            self._move(Input.HALT, now, objected)
            return
        self._client_id = reply.client_id
        self._pace.session_begun(now)
        self._advice = self._advice.after_handshake()
        self._ack = granted_ack(reply) if self._options.ack else None
        self._move(Input.ACCEPTED, now, 'handshake accepted')

    def _judge_poll(self, exchange: Exchange, failure: Failure | None, now: float) -> None:
        reply = exchange.reply
        if failure is None and reply is None:
            failure = Failure(FailureKind.NO_REPLY, '/meta/connect')
        if reply is not None and (reply.advice is None or not reply.advice.multiple_clients):
            self._advice = self._advice.alone()
        told_to_go_on = self._advice.reconnect is _RETRY and self._advice.interval >= 0
        if failure is None and reply is not None and reply.successful:
            self._pace.connect_answered(exchange, now)
            batch = (reply.ext or {}).get('ack')
            if self._ack is not None and type(batch) is int:
                self._ack = batch
            if told_to_go_on and not exchange.server_disconnected:
                self._pace.connect_good()
                self._move(_ANSWERED, now, 'connect answered')
                return
        refused = reply is not None and not reply.successful
        trouble = self._trouble(
            Step.CONNECT, reply, None if refused else failure, exchange.server_disconnected
        )
        verdict = self._policy.judge(trouble)
        broken = failure is not None and failure.may_hide_events and trouble.durable
        if refused and broken and verdict.action is Action.RETRY:
            # What broke off behind the refusal may have held events: the same session would go on past them.
            verdict = self._policy.judge(self._trouble(Step.CONNECT, None, failure))
        self._obey(verdict, now)

    def _trouble(
        self,
        step: Step,
        reply: Reply | None = None,
        failure: Failure | None = None,
        server_disconnected: bool = False,
    ) -> Trouble:
        durable = self._channels.wants(self._policy.is_durable)
        return Trouble(step, reply, failure, self._advice, self.failures + 1, server_disconnected, durable)

    def _meet(self, trouble: Trouble, now: float) -> None:
        """Do what the policy says about a trouble of the connection."""
        self._obey(self._policy.judge(trouble), now)

    def _obey(self, verdict: Verdict, now: float) -> None:
        event, pause = self._pace.after(verdict, self._advice, self._state in WITH_SESSION, now)
        self._move(event, now, verdict.reason, pause, for_good=verdict.for_good)

    # --- the command lane ------------------------------------------------------------------------

    def _after_request(self, now: float) -> list[Effect]:
        if self._deadline is not None:
            self._poll_again(now)
        self._pump(now)
        if self._state is _HALTED:
            self._refuse_all()
        return self._take()

    def _pump(self, now: float) -> None:
        """Send what waits, if the session is known to work and the lane is free."""
        if self._state is not _CONNECTED or not self._commands.waits:
            return
        self._commands.prepare_channels(now)
        if self._exchanges.is_free(_COMMAND):
            requests = self._commands.requests(self._client_id, self._next_id, now)
            if requests:
                self._send(_COMMAND, requests, self._options.network_allowance, now)

    def _judge_commands(self, exchange: Exchange, failure: Failure | None, now: float) -> None:
        verdict = self._commands.judge(exchange, failure, self._trouble, now)
        if verdict is None and failure is None and exchange.server_disconnected:
            # A retry is the held poll's to ask for: it is still out.
            verdict = self._policy.judge(self._trouble(Step.CONNECT, server_disconnected=True))
        if verdict is not None and verdict.action in ENDS_SESSION:
            self._obey(verdict, now)

    # --- exchanges -------------------------------------------------------------------------------

    def _send(self, lane: Lane, requests: Sequence[Request], read_timeout: float, now: float) -> None:
        exchange = self._exchanges.begin(lane, requests, now)
        self._effects.append(Send(lane, exchange.number, tuple(requests), read_timeout))

    def _unreplayed(self, late: list[Delivery]) -> list[Delivery]:
        """A late event of a durable channel comes again by replay, so that its copy is dropped."""
        return [each for each in late if not self._policy.is_durable(each.channel)]

    def _hold_overtakers(
        self, deliveries: list[Delivery], lane: Lane, characters: int
    ) -> tuple[list[Delivery], int]:
        """Keep back what came before the answer to its own subscribe; gives the rest, and its characters.

        Handlers would see these before what is replayed in that answer.
        """
        command = self._exchanges.subscribe_beside(lane)
        if command is None:
            return deliveries, characters
        joining = {each for each in command.subscribing() if self._policy.is_durable(each)}
        early = [each for each in deliveries if without_filter(each.channel) in joining]
        if not early:
            return deliveries, characters
        share = characters * len(early) // len(deliveries)
        command.overtakers += early
        command.overtaking += share
        late = [each for each in deliveries if without_filter(each.channel) not in joining]
        return late, characters - share

    def _release_overtakers(self, command: Exchange) -> None:
        """The session goes on, and what an answer could bring is here.

        Also where the subscribe was refused: these came by an earlier subscription then.
        """
        if command.overtakers:
            self._effects.append(Deliver(_POLL, command.overtakers, command.overtaking))

    def _take_reply(self, exchange: Exchange, reply: Reply) -> None:
        if reply.advice is not None:
            self._advice = self._advice.merge(reply.advice)
        if reply.channel.startswith('/meta/'):
            self._effects.append(MetaReply(reply))
        request = exchange.match(reply) if reply.successful is not None else None
        if request is not None:
            exchange.take(request, reply)
            if reply.successful:
                self._commands.settle(request)
        elif reply.channel == '/meta/disconnect':
            exchange.server_disconnected = True
        else:
            self._effects.append(Ignored(f'exchange {exchange.number}: {reply}'))

    def _abandon(self, why: str) -> None:
        for lane in Lane:
            self._abandon_lane(lane, why)
        self._effects += self._exchanges.lost(why)

    def _abandon_lane(self, lane: Lane, why: str) -> None:
        """Drop the exchange under way; what it asked for is lost, or due again."""
        exchange = self._exchanges.end(lane)
        if exchange is None:
            return
        self._commands.abandoned(exchange, why)
        self._effects.append(Abandon(lane))

    def _preparing(self, attempt: int) -> bool:
        return self._state is State.PREPARING and attempt == self._attempt

    def _next_id(self) -> str:
        self._ids += 1
        return str(self._ids)

    def _take(self) -> list[Effect]:
        taken = self._effects.copy()
        self._effects.clear()  # the same list object: the subscriptions append to it
        return taken


WITH_SESSION = (State.CONNECTING, State.CONNECTED, State.RECONNECTING)
