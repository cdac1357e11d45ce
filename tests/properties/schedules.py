"""Schedules: what a service is like and what happens to it, drawn, run, and made smaller.

A schedule is data, so that Hypothesis and the seeded runner share everything but the drawing, and one that
fails can be printed, repeated and cut down.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

from fake_salesforce.faults import FaultKind

from nameko_salesforce.streaming.order import Order
from nameko_salesforce.streaming.resume import OnGap, Start
from nameko_salesforce.streaming.retry import OnFailure
from tests.properties.service_setup import MOODS, Setup
from tests.properties.service_world import ServiceWorld

# Field of `Setup` -> what it may be; a value that stands twice comes twice as often.
SETUPS: dict[str, list[Any]] = {
    'channels': [
        ('/topic/T',),
        ('/topic/T', '/data/C__ChangeEvent'),
        ('/data/C__ChangeEvent',),
        ('/event/E__e', '/topic/T'),
    ],
    'handlers': [1, 1, 2],
    'order': [Order.RECORD, Order.RECORD, Order.RECORD, Order.CHANNEL, Order.NONE],
    'batch': [None, None, 3],
    'attempts': [1, 2],
    'timeout': [None, 10.0],
    'on_failure': [OnFailure.DEAD_LETTER, OnFailure.DEAD_LETTER, OnFailure.SKIP, OnFailure.STOP],
    'start': [Start.LATEST, Start.LATEST, Start.EARLIEST],
    'on_gap': [OnGap.EARLIEST, OnGap.EARLIEST, OnGap.LATEST, OnGap.FAIL],
    'slots': [1, 2, 5],
    'limit': [3, 6, 1000],
    'replies_first': [False, True],
}

META = ['/meta/handshake', '/meta/connect', '/meta/connect', '/meta/subscribe', '/meta/subscribe', None]
KINDS = [
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.DROP_AFTER,
    FaultKind.TRUNCATE,
    FaultKind.TRUNCATE,
    FaultKind.EMPTY,
    FaultKind.STATUS,
    FaultKind.NEVER,
    FaultKind.DELAY,
]
DOWNTIMES = [0.0, 1.0, 1.0, 60.0, 1000.0]
OUTAGES = [0.1, 5.0, 100.0, 1000.0]

# Method of `ServiceWorld` -> (weight, what each of its arguments may be).
ACTIONS: dict[str, tuple[int, list[list[Any]]]] = {
    'events_are_published': (24, [[0, 1], [1, 1, 2, 3, 8], ['A', 'A', 'B', 'AB', 'each', 'each', '*']]),
    'old_events_are_published': (2, [[0, 1], [1, 2], ['A', 'each'], [300.0, 600.0]]),
    'poison_is_published': (3, [[0, 1], [1, 3], ['A', 'each']]),
    'time_passes': (36, [[0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.5, 3.0, 3.0, 20.0, 45.0, 130.0, 1000.0]]),
    'handlers_become': (6, [list(MOODS)]),
    'more_is_published_than_is_handled': (3, [[8, 15], [0.05, 45.0, 45.0]]),
    'somebody_uses_the_command_lane': (6, []),
    'somebody_mends_what_stopped': (2, []),
    'the_process_crashes': (5, [DOWNTIMES]),
    'the_service_is_down_for': (2, [[100.0, 1000.0, 3000.0, 5000.0, 7000.0, 9000.0]]),
    'the_network_is_away_for': (1, [[30.0, 1000.0, 5000.0, 9000.0]]),
    'the_container_is_killed': (1, [[0.0, 0.05, 1.0], DOWNTIMES]),
    'the_service_is_stopped': (2, [[0.0, 1.0, 30.0], DOWNTIMES]),
    'a_save_will_be_torn': (2, [['before', 'after'], DOWNTIMES]),
    'the_store_is_down': (3, [OUTAGES]),
    'the_store_answers_too_late': (2, [OUTAGES]),
    'the_store_takes': (2, [[0.002, 0.05, 1.5]]),
    'logins_fail': (1, [OUTAGES]),
    'the_token_dies': (1, []),
    'routing_ends': (1, []),
    'the_server_starts_again': (2, []),
    'the_server_disconnects_everybody': (1, []),
    'the_server_is_busy': (1, [['/meta/handshake', '/meta/connect', '/meta/subscribe'], OUTAGES]),
    'an_exchange_fails': (12, [KINDS, META, [1, 1, 2], [0, 60, 151, 400, 701]]),
}

SHORTEST, LONGEST = 20, 60


class Step(NamedTuple):
    """One thing that happens.

    Attributes:
        action: a key of `ACTIONS`.
        arguments: for it.
    """

    action: str
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f'{self.action}({", ".join(map(repr, self.arguments))})'


@dataclass(frozen=True, slots=True)
class Schedule:
    """A life of a service."""

    setup: Setup
    steps: tuple[Step, ...]

    def run(self, story: Callable[[str], None] | None = None) -> ServiceWorld:
        """Live through it, and through fair weather at its end.

        Raises:
            AssertionError: a promise was broken; or whatever a part raises.
        """
        world = ServiceWorld(self.setup, story)
        try:
            for step in self.steps:
                world.tell(f'> {step}')
                PERFORM[step.action](world, *step.arguments)
                world.check_always()
            world.fair_weather()
        except BaseException as error:
            error.add_note(f'in {self.setup}')
            raise
        return world


def _publish_old(world: ServiceWorld, number: int, count: int, about: str, age: float) -> None:
    world.events_are_published(number, count, about, age=age)


def _publish_poison(world: ServiceWorld, number: int, count: int, about: str) -> None:
    world.events_are_published(number, count, about, poison=True)


PERFORM: dict[str, Callable[..., None]] = {
    'old_events_are_published': _publish_old,
    'poison_is_published': _publish_poison,
    'time_passes': ServiceWorld.advance,
}
PERFORM |= {name: getattr(ServiceWorld, name) for name in ACTIONS if name not in PERFORM}


def drawn(seed: int) -> Schedule:
    """The schedule of a seed; the same in every process and on every machine."""
    random = Random(seed)
    setup = Setup(seed=seed, **{name: random.choice(choices) for name, choices in SETUPS.items()})
    names = list(ACTIONS)
    weights = [weight for weight, _ in ACTIONS.values()]
    steps = [
        Step(name, tuple(random.choice(choices) for choices in ACTIONS[name][1]))
        for name in random.choices(names, weights, k=random.randint(SHORTEST, LONGEST))
    ]
    return Schedule(setup, tuple(steps))


def reduced(schedule: Schedule, tries: int = 2000) -> Schedule:
    """A part of a schedule that fails as well; in the same words, as far as numbers are not counted."""
    words = failure_of(schedule)
    assert words, 'a schedule that does not fail cannot be reduced'
    size = len(schedule.steps) // 2
    while size and tries > 0:
        start = 0
        while start < len(schedule.steps) and tries > 0:
            steps = schedule.steps[:start] + schedule.steps[start + size :]
            smaller = replace(schedule, steps=steps)
            tries -= 1
            if failure_of(smaller) == words:
                schedule = smaller
            else:
                start += size
        size //= 2
    return schedule


def failure_of(schedule: Schedule) -> str:
    """How it fails, without numbers; '' where it does not."""
    try:
        schedule.run()
    except Exception as error:
        text = f'{type(error).__name__}: {error}'
        return ''.join(each for each in text if not each.isdigit())
    return ''
