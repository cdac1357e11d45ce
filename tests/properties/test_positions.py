"""Positions over two lanes of which either may overtake the other: none passes an event that is not here.

Seeded walks, not Hypothesis: what goes wrong here takes a few unlucky moments in a row, and many walks.
"""

from random import Random

import pytest
from fake_salesforce.faults import Fault, FaultKind
from fake_salesforce.settings import SALESFORCE

from nameko_salesforce.bayeux.options import SessionOptions
from tests.properties.test_salesforce import CHANNELS, Durable, Org
from tests.properties.world import World

LATE = [FaultKind.DELAY]
LATE_OR_LOST = [
    *[FaultKind.DELAY] * 2,
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.TRUNCATE,
    FaultKind.EMPTY,
    FaultKind.STATUS,
]
STRUCK = ['/meta/connect', '/meta/subscribe', '/meta/unsubscribe']
WALKS = 250


def world_of(random):
    world = World(
        SALESFORCE.changed({'replies_first': random.random() < 0.5}),
        SessionOptions(longest_brake=30.0),
        random.randrange(2**16),
        policy=Durable(),
        rules=Org(),
    )
    for channel in CHANNELS:
        world.stream.subscribe(channel)
    world.stream.start()
    return world


def step(world, random, kinds):
    """Something that happens to a service with its channels, every now and then something bad."""
    stream, channel = world.stream, random.choice(CHANNELS)
    what = random.random()
    if what < 0.30:
        for _ in range(random.randint(1, 3)):
            world.publish(random.choice(CHANNELS))
    elif what < 0.60:
        world.advance(random.choice([0.01, 0.03, 0.05, 0.5, 1.0, 3.0, 5.0, 31.0, 60.0]))
    elif what < 0.80:
        seconds = random.choice([0.03, 0.5, 2.0, 6.0, 12.0])
        struck, nth, size = random.choice(STRUCK), random.randint(1, 2), random.randint(0, 400)
        world.faults.add(Fault(random.choice(kinds), struck, nth=nth, seconds=seconds, bytes=size))
    elif what < 0.87:
        stream.brake()
    elif what < 0.94:
        stream.release()
    elif what < 0.97:
        denied = {channel: '500::Something is wrong'} if random.random() < 0.5 else {}
        world.broker.settings = world.broker.settings.changed({'deny_subscribe': denied})
    else:
        stream.unsubscribe(channel)
        world.advance(random.choice([0.0, 0.03, 1.0]))
        stream.subscribe(channel)


def in_fair_weather(world):
    """All that was published is here at last, and no position stays behind."""
    world.faults.clear()
    world.broker.settings = world.broker.settings.changed({'deny_subscribe': {}})
    world.advance(1000)
    world.stream.release()
    world.advance(400)
    for channel in CHANNELS:
        world.publish(channel)
    world.advance(200)
    world.check_always()
    for channel in CHANNELS:
        published = world.published[channel]
        assert set(world.stream.delivered[channel]) == set(published), 'lost'
        last = world.stream.trackers[channel].committable.replay_id
        assert world.stream.numbers[channel, last] == len(published), 'a position stays behind'


@pytest.mark.parametrize('kinds', [LATE, LATE_OR_LOST], ids=['late', 'late or lost'])
@pytest.mark.parametrize('part', range(2))
def test_no_position_passes_an_event_and_none_is_lost(kinds, part):
    for seed in range(part * WALKS, (part + 1) * WALKS):
        random = Random(seed)
        world = world_of(random)
        try:
            for _ in range(40):
                step(world, random, kinds)
                world.check_always()
            in_fair_weather(world)
        except AssertionError as error:
            error.add_note(f'in the walk of seed {seed}')
            raise
