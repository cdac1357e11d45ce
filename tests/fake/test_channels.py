import pytest
from fake_salesforce import channels


@pytest.mark.parametrize(
    'name', ['/a', '/a/b', '/a-b_c!~($)@', '/a/*', '/a/**', '/*', '/**', '/foo bar', '/a.b']
)
def test_names_of_the_reference_alphabet_are_valid(name):
    assert channels.is_valid(name)


@pytest.mark.parametrize(
    'name',
    [
        '',
        '/',
        'a',
        'a/b',
        '//',
        '/a/',
        '/a//b',
        '/a?b',
        '/a=b',
        '/a&b',
        "/a'b",
        '/ä',
        '/a\n',
        '/*/b',
        '/**/b',
        None,
        1,
        [],
    ],
)
def test_other_names_are_invalid(name):
    assert not channels.is_valid(name)


@pytest.mark.parametrize(
    ('pattern', 'channel', 'expected'),
    [
        ('/foo', '/foo', True),
        ('/foo', '/foo/bar', False),
        ('/foo/*', '/foo/bar', True),
        ('/foo/*', '/foo', False),
        ('/foo/*', '/foo/bar/boo', False),
        ('/foo/**', '/foo/bar', True),
        ('/foo/**', '/foo/bar/boo', True),
        ('/foo/**', '/foo', False),
        ('/*', '/foo', True),
        ('/**', '/foo/bar', True),
        ('/fo*', '/foo', False),
    ],
)
def test_wildcards_stand_for_one_or_for_all_deeper_segments(pattern, channel, expected):
    assert channels.matches(pattern, channel) is expected


def test_no_pattern_is_reached_twice():
    names = channels.subscriptions_reached('/a/b/c')
    assert sorted(names) == sorted(['/a/b/c', '/a/b/*', '/a/b/**', '/a/**', '/**'])


@pytest.mark.parametrize(
    ('text', 'expected'), [('a1Z', True), ('', False), ('a-b', False), ('ä', False), ('1.0', False)]
)
def test_ids_are_letters_and_digits(text, expected):
    assert channels.is_valid_id(text) is expected


def test_kinds_of_channels():
    assert channels.is_meta('/meta/connect')
    assert not channels.is_meta('/metaphor')
    assert channels.is_service('/service/a')
    assert channels.is_wild('/a/*')
    assert channels.is_wild('/**')
    assert not channels.is_wild('/a*')
