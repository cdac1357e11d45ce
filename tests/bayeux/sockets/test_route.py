"""A URL and its options are checked before anything is opened."""

import pytest

from nameko_salesforce.bayeux.errors import LocalError
from nameko_salesforce.bayeux.transport import Transport, TransportOptions
from tests.bayeux.sockets.raw_server import answer, answering


def test_a_replaced_url_is_used_by_the_next_exchange(serve, client):
    first, second = serve(answering(answer([{'n': 1}]))), serve(answering(answer([{'n': 2}])))
    one = client(first.url)
    assert one.exchange() is None
    one.transport.url = second.url
    assert one.transport.url == second.url
    assert one.exchange() is None
    assert one.got == [{'n': 1}, {'n': 2}]


@pytest.mark.parametrize(
    'url',
    [
        '',
        None,
        'na1.example.com/cometd',
        'ftp://na1.example.com/',
        'https:///cometd',
        'https://user:secret@na1.example.com/',
        'https://na1.example.com:port/',
        'https://na1.example.com:99999/',
        'https://na1.example.com:0/',
        'https://na1.example.com/#secret',
        'https://na1.example.com/a b',
        'https://na1.example.com/\r\nX: y',
        'https://b\u00fccher.example.com/',
        'https://[::1/',
    ],
)
def test_a_wrong_url_is_a_local_error_that_names_it_and_keeps_the_former(url):
    with pytest.raises(LocalError, match=r'^url: ') as caught:
        Transport(url)
    assert 'secret' not in str(caught.value)
    transport = Transport('https://na1.example.com/cometd/60.0')
    with pytest.raises(LocalError, match=r'^url: '):
        transport.url = url
    assert transport.url == 'https://na1.example.com/cometd/60.0'


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('connect_timeout', 0),
        ('connect_timeout', None),
        ('network_allowance', -1),
        ('network_allowance', float('nan')),
        ('message_limit', 0),
        ('request_limit', 1.5),
        ('proxy', 'socks5://localhost'),
        ('proxy', 'localhost:3128'),
        ('proxy', 'http://user:secret@:3128'),
    ],
)
def test_a_wrong_option_is_a_local_error_that_names_it(option, value):
    with pytest.raises(LocalError, match=rf'^{option}: ') as caught:
        Transport('https://na1.example.com/', options=TransportOptions(**{option: value}))
    assert 'secret' not in str(caught.value)


def test_no_password_is_in_a_repr():
    options = TransportOptions(proxy='http://user:secret@localhost:3128')
    transport = Transport('https://na1.example.com/', options=options)
    assert 'secret' not in f'{options!r} {transport!r} {transport.connection()!r} {transport.route!r}'
