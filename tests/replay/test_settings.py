"""Section SALESFORCE says where positions are kept, in the way of 1.2 or of today."""

import pytest

from nameko_salesforce.replay.settings import ReplaySettings
from tests.salesforce.test_config import complaint, read

REDIS = 'redis://:hidden@localhost'
OF_1_2 = {'PUSHTOPIC_REPLAY_ENABLED': True, 'PUSHTOPIC_REPLAY_REDIS_URI': REDIS}


def test_positions_that_are_kept_need_a_place():
    assert 'PUSHTOPIC_REPLAY_REDIS_URI is missing' in complaint(PUSHTOPIC_REPLAY_ENABLED=True)
    assert read(PUSHTOPIC_REPLAY_ENABLED=False).replay == ReplaySettings()


@pytest.mark.parametrize(
    ('section', 'store_uri'),
    [
        ({}, 'memory://'),
        ({'REPLAY_STORE_URI': 'memory://'}, 'memory://'),
        ({'REPLAY_STORE_URI': REDIS}, REDIS),
        ({'REPLAY_STORE_URI': 'rediss://localhost'}, 'rediss://localhost'),
        ({'REPLAY_STORE_URI': 'unix:///run/redis.sock'}, 'unix:///run/redis.sock'),
        ({'REPLAY_STORE_URI': 'sqlite:///positions.db'}, 'sqlite:///positions.db'),
        # As in 1.2: both keys, or nothing is kept.
        (OF_1_2, REDIS),
        ({**OF_1_2, 'PUSHTOPIC_REPLAY_ENABLED': False}, 'memory://'),
        ({'PUSHTOPIC_REPLAY_REDIS_URI': REDIS}, 'memory://'),
        # On the way from one to the other.
        ({'PUSHTOPIC_REPLAY_ENABLED': True, 'REPLAY_STORE_URI': REDIS}, REDIS),
        ({'PUSHTOPIC_REPLAY_REDIS_URI': REDIS, 'REPLAY_STORE_URI': REDIS}, REDIS),
        ({**OF_1_2, 'REPLAY_STORE_URI': REDIS}, REDIS),
    ],
)
def test_where_positions_are_kept(section, store_uri):
    replay = read(**section).replay
    assert replay.store_uri == store_uri
    assert replay.lasting is (store_uri != 'memory://')
    assert 'hidden' not in repr(replay)


@pytest.mark.parametrize('enabled', [{}, {'PUSHTOPIC_REPLAY_ENABLED': True}])
def test_two_places_that_differ_are_one_too_many(enabled):
    said = complaint(REPLAY_STORE_URI='sqlite:///positions.db', PUSHTOPIC_REPLAY_REDIS_URI=REDIS, **enabled)
    assert 'REPLAY_STORE_URI and PUSHTOPIC_REPLAY_REDIS_URI differ' in said
    assert 'hidden' not in said


def test_a_place_for_positions_that_are_not_to_be_kept_is_a_contradiction():
    said = complaint(REPLAY_STORE_URI=REDIS, PUSHTOPIC_REPLAY_ENABLED=False)
    assert 'PUSHTOPIC_REPLAY_ENABLED is false although' in said


@pytest.mark.parametrize('key', ['REPLAY_STORE_URI', 'PUSHTOPIC_REPLAY_REDIS_URI'])
@pytest.mark.parametrize(
    'uri', ['redis://localhost/hidden', 'redis://localhost?hidden=1', 'redis://localhost?db=hidden', 'hidden']
)
def test_a_place_of_no_use_is_refused_at_the_start_without_showing_it(key, uri):
    said = complaint(**{key: uri})
    assert f'{key} has to be a URI' in said
    assert 'hidden' not in said


def test_positions_are_as_old_as_salesforce_keeps_events_unless_somebody_says_otherwise():
    assert read().replay.ttl is None
    assert read(PUSHTOPIC_REPLAY_TTL=3600).replay.ttl == 3600
