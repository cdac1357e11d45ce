"""The one connection of a service to the Streaming API. Floor 4.

Makes a Bayeux client for Salesforce: with its token, its policy, its PushTopics, and puts between its events
and the workers what keeps positions (`runner.py`). Decides when `FAIL_FAST` ends the service; how a client
lives in a service is `bayeux/connection.py`.
"""

import logging
import math
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from nameko.exceptions import ConfigurationError
from nameko.extensions import Entrypoint

from nameko_salesforce.account import SalesforceAccount
from nameko_salesforce.bayeux.client import Client
from nameko_salesforce.bayeux.connection import StreamConnection
from nameko_salesforce.bayeux.dispatch import Arrival, Notice
from nameko_salesforce.bayeux.effects import ChannelChanged, Deliver, MessageSkipped, StateChanged
from nameko_salesforce.bayeux.messages import Delivery, Reply
from nameko_salesforce.bayeux.transitions import ChannelState, State
from nameko_salesforce.constants import CLIENT_ID_CONTEXT_KEY, REPLAY_ID_CONTEXT_KEY
from nameko_salesforce.declarations import Declarations
from nameko_salesforce.errors import StreamRefused
from nameko_salesforce.events import ChannelKind, replay_id_of
from nameko_salesforce.push_topics import unheard_names
from nameko_salesforce.replay.store import Store
from nameko_salesforce.replay.stores import open_store
from nameko_salesforce.rest import RestClient, rest_client
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.contradictions import check_together
from nameko_salesforce.streaming.effects import Run
from nameko_salesforce.streaming.policy import SalesforcePolicy, is_final, is_lost_position
from nameko_salesforce.streaming.positions import Positions
from nameko_salesforce.streaming.preparation import SalesforcePreparation
from nameko_salesforce.streaming.resume import Gap, Rules
from nameko_salesforce.streaming.resumption import Resumption
from nameko_salesforce.streaming.runner import Runner

if TYPE_CHECKING:
    from nameko_salesforce.streaming.entrypoints import SalesforceEntrypoint

__all__ = ['SalesforceConnection']

log = logging.getLogger('nameko_salesforce')

Named = TypeVar('Named', bound=Entrypoint)

POLICY = SalesforcePolicy()

META_CONNECT = '/meta/connect'

# Stands for a channel where gaps go the way of events; nothing subscribes to it.
GAPS = '/gaps'

# Seconds that a stop waits for a store: one of its calls takes 2 at most.
STOP_LIMIT = 3.0


class SalesforceConnection(StreamConnection):
    """One session and one subscription per channel for all decorators of a service.

    Attributes:
        account: gives settings and tokens; the same for `SalesforceAPI`.
        client, runner: None before `start`, and for good where the service has no streaming entrypoint left.
        positions: exist with the runner.
        unread: channel -> events that were too large to be read.
    """

    account = SalesforceAccount()
    runner: Runner | None = None
    positions: Positions
    _rest: RestClient | None = None
    _preparation: SalesforcePreparation
    _resumption: Resumption

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unread: dict[str, int] = {}
        self._gap_handlers: list[Any] = []
        self._gap_channel: Channel | None = None

    def register_gap_handler(self, entrypoint: Any) -> None:
        """Take an entrypoint that is told of lost positions."""
        self._gap_handlers.append(entrypoint)

    def register_provider(self, entrypoint: 'SalesforceEntrypoint') -> None:
        """Take an entrypoint that fits those that are here; the first has the configuration read.

        Raises:
            ConfigurationError: its PushTopic cannot be, it contradicts another one, or the section is wrong.
        """
        self.account.ready()
        try:
            entrypoint.topic = entrypoint.make_topic()
            for other in self._providers:
                check_together(entrypoint, other)
        except ValueError as problem:
            log.critical('%s cannot start. %s', self.container.service_name, problem)
            raise ConfigurationError(str(problem)) from None
        if entrypoint.topic is not None and unheard_names(entrypoint.topic):
            log.warning(
                'PushTopic %s selects parts of a name, but not Name: Salesforce notices no change of them. '
                'Add Name to the query of %s()',
                entrypoint.topic.name,
                entrypoint.method_name,
            )
        super().register_provider(entrypoint)

    def start(self) -> None:
        """Begin to log in and to connect, in the background: Salesforce may be down."""
        if not self._halted and self._providers:
            replay = self.account.settings.replay
            if not replay.lasting:
                log.log(
                    logging.INFO if replay.chosen else logging.WARNING,
                    '%s: positions are kept in memory: what is published while the service is down is '
                    'missed. REPLAY_STORE_URI names a store that lasts',
                    self.container.service_name,
                )
            self.adopt(self._make_client())
        super().start()

    def subscribe_all(self, client: Client) -> None:
        assert self.runner is not None
        for channel in self.runner.channels:
            self._subscribe(channel)
        client.listen(META_CONNECT, self._connect_answered)
        self.runner.start()

    def context_data(self, event: Delivery) -> dict[str, Any]:
        """The keys of 1.2; the replay id is None where an event has none."""
        assert self.client is not None
        return {
            CLIENT_ID_CONTEXT_KEY: self.client.client_id,
            REPLAY_ID_CONTEXT_KEY: replay_id_of(event.data),
        }

    def halt(self) -> None:
        if self.runner is not None:
            self.runner.halt()
        super().halt()

    def stop(self) -> None:
        super().stop()
        if self.runner is not None:
            runner = self.runner
            self.end_in_order(lambda: runner.stop(STOP_LIMIT))
        self._close_rest()

    def kill(self) -> None:
        super().kill()
        if self.runner is not None:
            self.end_in_order(self.runner.kill)
        self._close_rest()

    def _close_rest(self) -> None:
        if self._rest is not None:
            self.end_in_order(self._rest.session.close)

    # --- what it is made of ------------------------------------------------------------------------

    def _make_client(self) -> Client:
        settings = self.account.settings
        runner = self.runner = self._make_runner()
        resumption = self._resumption = Resumption(
            runner.channels,
            self.positions,
            forget=self._forget,
            obey=runner.obey,
            tell=self._tell_gap,
            give_up=self._give_up,
            lag=lambda: runner.lag,
            clock=time.monotonic,
            wall=time.time,
        )
        preparation = self._preparation = self._make_preparation(resumption)
        return Client(
            f'{settings.login_url}/cometd/{settings.api_version}',  # until a login says where
            headers=preparation.headers,
            session=settings.session,
            transport=settings.transport,
            policy=POLICY,
            preparation=preparation,
            # In front of the runner, which has the limit: what waits here would be beyond it.
            mailbox_limit=max(1, settings.mailbox_limit // 10),
            observe=self._observe,
            follow=self._follow,
            spawn=self.spawn,
        )

    def _make_runner(self) -> Runner:
        settings = self.account.settings
        self.positions = Positions(self._open_store, self.spawn)
        if self._gap_handlers:
            self._gap_channel = self._make_gap_channel()
        by_channel: dict[str, list[SalesforceEntrypoint]] = {}
        for entrypoint in self.declared():
            by_channel.setdefault(entrypoint.channel, []).append(entrypoint)
        return Runner(
            [self._make_channel(entrypoints) for entrypoints in by_channel.values()],
            self.make_workers(settings.event_workers),
            self._call,
            brake=lambda: self.client.brake() if self.client else None,
            release=lambda: self.client.release() if self.client else None,
            positions=self.positions,
            subscribe=self._subscribe,
            unsubscribe=self._unsubscribe,
            limit=settings.mailbox_limit,
            spawn=self.spawn,
        )

    def _make_channel(self, entrypoints: Sequence['SalesforceEntrypoint']) -> Channel:
        first = entrypoints[0]
        retention = ChannelKind.of(first.channel).retention
        ttl = self.account.settings.replay.ttl
        handlers = _named(entrypoints)
        return Channel(
            Rules(
                channel=first.channel,
                retention=retention,
                greatest_age=retention if ttl is None else ttl,
                start=first.start_at,
                on_gap=first.on_gap,
            ),
            handlers,
            [entrypoint.options(name) for name, entrypoint in handlers.items()],
            random.random,
        )

    def _make_gap_channel(self) -> Channel:
        """Gaps go the way of events, so that their handlers have attempts, a timeout and a worker's life."""
        handlers = _named(self._gap_handlers)
        options = [entrypoint.options(name) for name, entrypoint in handlers.items()]
        rules = Rules(channel=GAPS, retention=math.inf, greatest_age=math.inf)
        return Channel(rules, handlers, options, random.random)

    def _make_preparation(self, resumption: Resumption) -> SalesforcePreparation:
        settings = self.account.settings
        tokens = self.account.tokens
        rest = self._rest = rest_client(tokens, settings, self.account.make_session())
        declared = [each for each in self.declared() if each.topic is not None]
        return SalesforcePreparation(
            tokens,
            Declarations(lambda: rest, [each.topic for each in declared]),
            {each.channel: each.topic.name for each in declared},
            settings.api_version,
            resumption.replay_map,
            self._give_up,
        )

    def _open_store(self, organization: str) -> Store:
        replay = self.account.settings.replay
        return open_store(
            replay.store_uri,
            organization=organization,
            service=self.container.service_name,
            dead_letter_limit=replay.dead_letter_limit,
            old_ttl=replay.ttl,
        )

    # --- what the parts ask for --------------------------------------------------------------------

    def _call(self, channel: Channel, run: Run) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        entrypoint = channel.handlers[run.handler]
        return entrypoint, entrypoint.run_args(run.events), self.context_data(run.events[-1])

    def _follow(self, arrival: Arrival) -> None:
        assert self.runner is not None
        self.runner.follow(arrival)
        if not isinstance(arrival, Deliver):
            self._resumption.poll_ended(arrival)

    def _connect_answered(self, reply: Reply) -> None:
        assert self.runner is not None
        if reply.successful and not self.runner.is_fenced:
            self._resumption.connected()

    def _subscribe(self, channel: Channel) -> None:
        assert self.client is not None
        assert self.runner is not None
        self.client.subscribe(channel.name, self.runner.taker(channel), together=True)

    def _unsubscribe(self, channel: Channel) -> None:
        assert self.client is not None
        if channel.name in self.client.channels:
            self.client.unsubscribe(channel.name)

    def resume_channel(self, name: str) -> bool:
        """Go on with a stopped channel; False where it is not stopped."""
        channel = None if self.runner is None else self.runner.find(name)
        if channel is None or self.runner is None:
            return False
        accepted = channel.accept_gap()
        if self.runner.stops.resume(channel):
            return True  # also out of a lost position: it is subscribed to when its old subscription is gone
        if accepted:
            self._unsubscribe(channel)
            self._subscribe(channel)  # at once: the session would sit out its pause
        return accepted

    def _forget(self) -> None:
        """Another organization: what waits to be told is still of the one before."""
        assert self.client is not None
        assert self.runner is not None
        self.runner.forget()
        self.client.in_order(self.runner.hear)

    def _tell_gap(self, gap: Gap) -> None:
        if self._gap_channel is not None and self.runner is not None:
            self.runner.put(self._gap_channel, [Delivery(GAPS, gap)])

    def _observe(self, notice: Notice) -> None:
        match notice:
            case ChannelChanged(channel=name, state=state, reason=why):
                self._note(name, state)
                final = is_final(why) and not is_lost_position(why)
                if state is ChannelState.REFUSED and final and not self._preparation.mends(name, why):
                    self._give_up(StreamRefused(name, why))
            case MessageSkipped(skipped=skipped):
                name = skipped.channel or ''
                self.unread[name] = self.unread.get(name, 0) + 1
            case StateChanged(new=State.IDLE) if self.runner is not None:
                # The client begins anew, and knows only of channels that it is subscribed to.
                for channel in self.runner.channels:
                    self.runner.stops.gone(channel)
            case StateChanged(new=State.HALTED, why=why) | StateChanged(why=why, for_good=True):
                # Halted: the server speaks another version of Bayeux.
                self._give_up(StreamRefused('the connection', why))

    def _note(self, name: str, state: ChannelState) -> None:
        channel = None if self.runner is None else self.runner.find(name)
        if channel is None or self.runner is None:
            return
        active = state is ChannelState.ACTIVE and not self.runner.is_fenced
        self._resumption.subscribed(name, active)
        if state is ChannelState.GONE:
            self.runner.stops.gone(channel)

    def _give_up(self, error: Exception) -> None:
        """What does not change by itself ends the service, if that is what its owner prefers."""
        if self.account.settings.fail_fast and not self._halted:
            log.critical('%s ends, because FAIL_FAST is set: %s', self.container.service_name, error)
            self.fail(error)


def _named(entrypoints: Sequence[Named]) -> dict[str, Named]:
    """Names for the handlers of one channel: of the method, with a number where it is decorated twice."""
    named: dict[str, Named] = {}
    for entrypoint in entrypoints:
        name = entrypoint.method_name
        number = 1
        while name in named:
            number += 1
            name = f'{entrypoint.method_name}#{number}'
        named[name] = entrypoint
    return named
