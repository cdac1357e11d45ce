"""A service's whole world: an org, a network, a store, and process after process, under one clock.

`ServiceWorld` offers what can happen as methods and checks the promises at every moment (`ledger.py` says
which); `fair_weather` ends a schedule: the faults cease, and then all that is promised must be done. What can
happen is drawn elsewhere (`schedules.py`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fake_salesforce.faults import Fault, FaultKind
from fake_salesforce.settings import SALESFORCE

from nameko_salesforce.bayeux.options import SessionOptions
from nameko_salesforce.bayeux.outcomes import Outcome
from nameko_salesforce.bayeux.transitions import State
from nameko_salesforce.streaming.channel import Channel
from nameko_salesforce.streaming.effects import DeadLettered, Dropped, Effect, Run, Skipped
from nameko_salesforce.streaming.handling import HandlerOptions
from nameko_salesforce.streaming.policy import SalesforcePolicy
from nameko_salesforce.streaming.resume import Gap, OnGap, Rules
from nameko_salesforce.streaming.retry import OnFailure, Retry
from tests.properties.ledger import ALL, Log, Published
from tests.properties.service_process import Process
from tests.properties.service_setup import BACKOFF, EPOCH, FAILED, MOODS, RETENTION, Setup, data_of
from tests.properties.stepped import StoreModel
from tests.properties.world import World


class Org:
    """One user, one good token; every channel exists."""

    def __init__(self) -> None:
        self.token = 0

    def user_of(self, authorization: str | None, now: float) -> str | None:
        return '005A' if authorization == f'Bearer token {self.token}' else None

    def topic_problem(self, channel: str, fields: Any) -> str | None:
        return None


class ServiceWorld(World):
    """See the module.

    Attributes:
        hits: (fault, state of the session) -> how often it struck there.
        sights: what else was seen, and how often.
        story: lines of what happened, where somebody listens.
    """

    def __init__(self, setup: Setup, story: Callable[[str], None] | None = None) -> None:
        self.setup = setup
        self.story = story
        self.hits: Counter[tuple[str, str]] = Counter()
        self.sights: Counter[str] = Counter()
        self.org = Org()
        self.login_fails = False
        self.mood = 'good'
        self.poison = True
        self._torn: tuple[str, float] | None = None
        self._restarts = 0
        self._conditions: Counter[str] = Counter()
        self.logs = {
            name: Log(
                name,
                {f'handler_{number}': setup.order for number in range(setup.handlers)},
                RETENTION,
                setup.start,
            )
            for name in setup.channels
        }
        self.now = 100.0
        self.store = StoreModel(self)
        kept = {'retention_topics': RETENTION, 'retention_events': RETENTION}
        super().__init__(
            SALESFORCE.changed({**kept, 'replies_first': setup.replies_first}),
            SessionOptions(longest_brake=30.0, backoff=BACKOFF),
            setup.seed,
            policy=SalesforcePolicy(),
            rules=self.org,
        )
        self.process.begin()

    @property
    def wall(self) -> float:
        return EPOCH + self.now

    @property
    def process(self) -> Process:
        assert isinstance(self.stream, Process)
        return self.stream

    @property
    def where(self) -> str:
        return self.process.where if self.process.alive else 'down'

    def new_stream(self) -> Process:
        setup = self.setup
        for log in self.logs.values():
            log.process_began()
        options = HandlerOptions(
            name='',
            order=setup.order,
            batch=setup.batch,
            retry=Retry(attempts=setup.attempts, timeout=setup.timeout, on_failure=setup.on_failure),
        )
        channels = []
        for name, log in self.logs.items():
            rules = Rules(
                channel=name,
                retention=RETENTION,
                greatest_age=RETENTION,
                start=setup.start,
                on_gap=setup.on_gap,
            )
            key = (lambda data: data['payload']['Key__c']) if name.startswith('/event/') else None
            handlers = [replace(options, name=handler, key=key) for handler in log.fates]
            channels.append(Channel(rules, dict.fromkeys(log.fates), handlers, self.random.random))
        process = Process(self, channels, slots=setup.slots, limit=setup.limit)
        process.token = f'token {self.org.token}'
        return process

    # --- what is noticed -----------------------------------------------------------------------------

    def tell(self, line: str) -> None:
        if self.story is not None:
            self.story(f'{self.now:10.3f} {self.where:13} {line}')

    def strike(self, fault: str) -> None:
        self.hits[fault, self.where] += 1
        self.tell(f'! {fault}')

    def saw(self, what: str) -> None:
        self.sights[what] += 1
        self.tell(f'  {what}')

    def note(self, channel: Channel, effect: Effect) -> None:
        """What a channel's work says about an event."""
        log = self.logs[channel.name]
        match effect:
            case Skipped(handler=handler, event=event):
                log.fates[handler].skipped.add(log.find(event).place)
                self.saw('event skipped')
            case DeadLettered(handler=handler, event=event):
                log.fates[handler].given_up.add(log.find(event).place)
                self.saw('dead letter')
            case Dropped():
                self.saw('re-delivery dropped')

    def gap_told(self, gap: Gap) -> None:
        self.logs[gap.channel].gap_told(gap)
        self.saw(f'gap told, {gap.chosen.value}')

    def fate_of(self, log: Log, run: Run) -> tuple[float, Outcome]:
        """How long a handler takes, and what becomes of it."""
        choices = MOODS[self.mood]
        (choice,) = self.random.choices(choices, [each[0] for each in choices])
        _, seconds, outcome = choice
        if self.poison and any(log.find(each).poison for each in run.events):
            outcome = FAILED
        return seconds, outcome

    # --- what people do ------------------------------------------------------------------------------

    def events_are_published(
        self, number: int, count: int, about: str, *, age: float = 0.0, poison: bool = False
    ) -> None:
        """In one channel, about some records, created some seconds ago; at most the first one is poison."""
        log = list(self.logs.values())[number % len(self.logs)]
        for each in range(count):
            # Ids without an order, so that nobody can compute with them.
            replay_id = (len(log.events) + 1) * 7919 % 100_003
            records = [about] if about != 'AB' else ['A', 'B']
            if about == 'each':
                records = ['ABC'[each % 3]]
            about_what = ALL if about == '*' else tuple(records)
            data = data_of(log.name, about_what, self.wall - age)
            if not log.name.startswith('/data/'):
                about_what = about_what[:1] if about_what != ALL else ('*',)
            event: Published = log.publish(
                replay_id, self.wall, about_what, poison=poison and each == 0 and self.poison
            )
            data['event'] = {**data.get('event', {}), 'replayId': event.replay_id}
            self.broker.publish(log.name, data, self.now)
        self._release()

    def handlers_become(self, mood: str) -> None:
        self.mood = mood

    def more_is_published_than_is_handled(self, count: int, seconds: float) -> None:
        self.mood = 'stuck'
        self.events_are_published(0, count, 'each')
        self.advance(seconds)

    def somebody_uses_the_command_lane(self) -> None:
        if self.process.alive and not self.process.stopping:
            self.process.use_command_lane()

    def somebody_mends_what_stopped(self) -> None:
        self.process.mend()

    # --- ends and beginnings -------------------------------------------------------------------------

    def _end(self, downtime: float) -> None:
        self.process.die()
        self._restarts += 1
        number = self._restarts
        self.later(downtime, lambda: self._start(number))

    def _start(self, number: int) -> None:
        if not self.process.alive and number == self._restarts:
            self.stream = self.new_stream()
            self.tell('a process begins')
            self.process.begin()

    def the_process_crashes(self, downtime: float) -> None:
        if self.process.alive:
            self.strike('crash')
            self._end(downtime)

    def the_service_is_down_for(self, seconds: float) -> None:
        """It crashes, and all that time passes."""
        if self.process.alive:
            self.strike('crash')
            self._end(seconds)
            self.advance(seconds)

    def the_network_is_away_for(self, seconds: float) -> None:
        """No request reaches the server, while the service lives."""
        self.faults.add(Fault(FaultKind.DROP_BEFORE, count=None))
        self.advance(seconds)
        self.faults.clear()

    def the_container_is_killed(self, patience: float, downtime: float) -> None:
        """It takes no more work, and ends a moment later."""
        process = self.process
        if process.alive and not process.stopping:
            self.strike('kill')
            process.workers.killed = True
            process.later(patience, lambda: self._end(downtime))
            process.go_on()

    def the_service_is_stopped(self, patience: float, downtime: float) -> None:
        process = self.process
        if process.alive and not process.stopping:
            self.strike('stop')
            process.end_in_order(patience, lambda: self._end(downtime))

    def a_save_will_be_torn(self, when: str, downtime: float) -> None:
        """The process dies before or after the store has it, and is not told in either case."""
        self._torn = (when, downtime)

    def tear(self, when: str) -> bool:
        if self._torn is None or self._torn[0] != when:
            return False
        _, downtime = self._torn
        self._torn = None
        self.strike(f'crash {when} save')
        self._end(downtime)
        return True

    # --- the store, the login, the server ------------------------------------------------------------

    def _for(self, seconds: float, name: str, change: Callable[[bool], None]) -> None:
        """A condition that ends by itself; the last one to begin decides when."""
        self._conditions[name] += 1
        number = self._conditions[name]
        change(True)

        def end() -> None:
            if self._conditions[name] == number:
                change(False)

        self.later(seconds, end)

    def the_store_is_down(self, seconds: float) -> None:
        self._for(seconds, 'store down', lambda on: setattr(self.store, 'down', on))

    def the_store_answers_too_late(self, seconds: float) -> None:
        self._for(seconds, 'store unsure', lambda on: setattr(self.store, 'unsure', on))

    def the_store_takes(self, seconds: float) -> None:
        self.store.lag = seconds

    def logins_fail(self, seconds: float) -> None:
        self._for(seconds, 'login', lambda on: setattr(self, 'login_fails', on))

    def new_token(self) -> str:
        return f'token {self.org.token}'

    def the_token_dies(self) -> None:
        self.org.token += 1
        self.strike('token dies')

    def routing_ends(self) -> None:
        self.broker.manner.routes.close_all(self.now)
        self.strike('routing ends')

    def the_server_starts_again(self) -> None:
        self.strike('server restart')
        self.restart()

    def the_server_disconnects_everybody(self) -> None:
        self.strike('server disconnects')
        self.disconnect_all()

    def the_server_is_busy(self, channel: str, seconds: float) -> None:
        self.strike('server busy')

        def change(on: bool) -> None:
            self.broker.settings = self.broker.settings.changed({'busy': [channel] if on else []})

        self._for(seconds, 'busy', change)

    def an_exchange_fails(self, kind: FaultKind, channel: str | None, nth: int, size: int) -> None:
        self.faults.add(Fault(kind, channel, nth=nth, bytes=size, seconds=0.05 if size % 2 else 5.0))

    # --- what must hold ------------------------------------------------------------------------------

    def check_always(self) -> None:
        """At every moment; what the store holds is checked when it gets it."""
        process = self.process
        if not process.alive:
            return
        runner = process.runner
        # What a stopped channel holds counts again once it goes on; nothing is added to that.
        most = max(2 * self.setup.limit, process.most)
        assert runner.unfinished <= most, 'more is taken on than there is room for'
        process.most = runner.unfinished
        # Each lane reads on until it has noticed.
        most = self.setup.limit + 2 * process.largest
        assert process.waiting <= most, 'more is read than there is room for'
        session = process.session
        moving = session.deadline is not None or process.out or session.state is State.PREPARING
        assert moving or session.state in (State.IDLE, State.HALTED), f'{session.state} went silent'
        if not process.stopping:
            assert session.state not in (State.IDLE, State.HALTED), 'the session has ended by itself'
        assert process.out or process.polls == [], 'the end of a poll was not told'

    def fair_weather(self) -> None:
        """The faults cease: all that is promised is done in the end."""
        self.tell('--- fair weather')
        self.faults.clear()
        self._torn = None
        self.store.down = self.store.unsure = self.login_fails = False
        self.store.lag = 0.01
        for name in self._conditions:
            self._conditions[name] += 1
        self.broker.settings = self.broker.settings.changed({'busy': []})
        self.mood = 'good'
        self.poison = self.setup.on_failure is not OnFailure.STOP
        self._settle(lambda: True)
        halted = self.process.halted
        if halted:
            assert self.setup.on_gap is OnGap.FAIL, 'halted for no reason'
        self.poison = False
        for number, _ in enumerate(self.logs):
            self.events_are_published(number, 1, 'A')
        going_on = [self.logs[name] for name in self.logs.keys() - halted]
        self._settle(lambda: all(log.is_kept for log in going_on))
        for log in going_on:
            name = log.name
            log.check_all_done(self.wall)
            assert log.stored is not None, f'{name}: no position is kept'
            assert log.is_kept, f'{name}: the last event is handled and not committed'
        assert self.violations() == []

    def _settle(self, enough: Callable[[], bool]) -> None:
        for seconds in (1, 5, 30, *(100,) * 30):
            process = self.process
            if not process.alive:
                self._start(self._restarts)
            for end in list(process.workers.running.values()):
                end()
            process.mend()
            process.go_on()
            self.advance(seconds)
            self.check_always()
            well = self.process.alive and self.process.is_settled and not self.process.stopping
            if well and enough():
                return
        if well:
            return
        raise AssertionError(f'not well after {100 * 30} s: {self.where}, {self.process.session.why}')
