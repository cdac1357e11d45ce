"""Channel names and wildcards."""

import pytest

from nameko_salesforce.bayeux.channels import (
    check_publishable,
    check_subscribable,
    is_meta,
    matching_patterns,
    without_filter,
)
from nameko_salesforce.bayeux.errors import LocalError


@pytest.mark.parametrize(
    'channel', ['/a', '/a/b', '/a/*', '/a/**', '/**', "/topic/X?Id='00/1'", '/service/x']
)
def test_what_some_server_could_accept_may_be_subscribed(channel):
    check_subscribable(channel)


@pytest.mark.parametrize(
    ('channel', 'reason'),
    [
        ('', 'begins with "/"'),
        ('a', 'begins with "/"'),
        ('/', 'no empty segment'),
        ('/a//b', 'no empty segment'),
        ('/a/', 'no empty segment'),
        ('/a*', 'a whole segment'),
        ('/a/***', 'a whole segment'),
        ('/*/a', 'only be the last segment'),
        ('/a*/b', 'only be the last segment'),
        ('/meta/connect', 'listen()'),
        (None, 'is a string'),
    ],
)
def test_what_no_server_could_accept_is_refused_with_the_reason(channel, reason):
    with pytest.raises(LocalError) as refused:
        check_subscribable(channel)
    assert reason in str(refused.value)
    assert repr(channel) in str(refused.value)


@pytest.mark.parametrize('channel', ['/a/*', '/a/**', '/meta/connect', 'a', 7])
def test_a_message_goes_to_one_plain_channel(channel):
    with pytest.raises(LocalError):
        check_publishable(channel)


def test_a_message_may_go_to_a_service_channel():
    check_publishable('/service/echo')


@pytest.mark.parametrize(
    ('pattern', 'channel', 'expected'),
    [
        ('/foo/*', '/foo/bar', True),
        ('/foo/*', '/foo', False),
        ('/foo/*', '/foo/bar/boo', False),
        ('/foo/**', '/foo/bar', True),
        ('/foo/**', '/foo/bar/boo', True),
        ('/foo/**', '/foo', False),
        ('/**', '/foo/bar', True),
        ('/*', '/foo', True),
        ('/*', '/foo/bar', False),
        ('/foo/bar', '/foo/bar', True),
        ('/foo/bar', '/foo/bars', False),
    ],
)
def test_a_wildcard_matches_one_segment_or_any_number(pattern, channel, expected):
    assert (pattern in matching_patterns(channel)) is expected


def test_the_closest_pattern_comes_first():
    assert matching_patterns('/a/b') == ('/a/b', '/a/*', '/a/**', '/**')


def test_a_filter_is_no_part_of_the_channel_proper():
    assert without_filter("/topic/X?Name='a/b'") == '/topic/X'


def test_meta_channels_are_told_apart():
    assert is_meta('/meta/connect')
    assert not is_meta('/metal/connect')
