"""The URI of a Redis, and the bounds that are ours."""

import pytest

from nameko_salesforce.replay.redis_options import place_of, redis_options


@pytest.mark.parametrize(
    'uri',
    [
        'redis://localhost?db=hidden',
        'redis://localhost?no_such_option=hidden',
        'redis://localhost?socket_timeout=hidden',
        'redis://localhost?protocol=hidden',
        'unix:///x?socket_connect_timeout=1&hidden=1',
    ],
)
def test_an_option_of_no_use_is_refused_without_its_value(uri):
    with pytest.raises(ValueError) as caught:
        redis_options(uri)
    assert 'hidden' not in str(caught.value)


def test_options_of_the_uri_win_and_replies_stay_bytes():
    options = redis_options('rediss://localhost?socket_timeout=7&decode_responses=True&ssl_cert_reqs=none')
    assert (options['socket_timeout'], options['decode_responses']) == (7.0, False)
    assert options['ssl_cert_reqs'] == 'none'


def test_a_connection_that_went_silent_leaves_time_for_another():
    options = redis_options('redis://localhost', 3.0)
    assert (options['socket_timeout'], options['socket_connect_timeout']) == (1.5, 1.5)


@pytest.mark.parametrize(
    ('uri', 'place'),
    [
        ('redis://user:hidden@host', 'redis://host:6379/0'),
        ('redis://host:1/2?password=hidden', 'redis://host:1/2'),
        ('redis://host/2?db=3', 'redis://host:6379/3'),
        ('unix://user:hidden@/run/redis.sock', 'unix:///run/redis.sock, database 0'),
    ],
)
def test_a_place_is_shown_without_credentials(uri, place):
    assert place_of(redis_options(uri)) == place
