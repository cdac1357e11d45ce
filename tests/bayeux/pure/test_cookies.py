"""One jar per session: what a server sets is sent back where, and as long as, it said."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameko_salesforce.bayeux.cookies import Cookies

URL = 'https://na1.example.com/cometd/60.0'


class Clock:
    """The system's clock, moved forward by a test."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cookies(clock):
    return Cookies(clock)


def test_a_new_jar_sends_nothing(cookies):
    assert cookies.header(URL) is None


def test_the_session_cookie_of_cometd_is_sent_back(cookies):
    cookies.store(URL, ['BAYEUX_BROWSER=abc; Path=/; HttpOnly'])
    assert cookies.header(URL) == 'BAYEUX_BROWSER=abc'


def test_several_cookies_share_a_header(cookies):
    cookies.store(URL, ['a=1; Path=/', 'b=2; Path=/'])
    assert sorted(cookies.header(URL).split('; ')) == ['a=1', 'b=2']


def test_a_later_value_replaces_the_kept_header(cookies):
    cookies.store(URL, ['a=1'])
    assert cookies.header(URL) == 'a=1'
    cookies.store(URL, ['a=2'])
    assert cookies.header(URL) == 'a=2'


def test_clearing_forgets_everything(cookies):
    cookies.store(URL, ['a=1'])
    assert cookies.header(URL) == 'a=1'
    cookies.clear()
    assert cookies.header(URL) is None


@pytest.mark.parametrize('url', ['https://evil.example.org/cometd/60.0', 'https://na1.example.com/other'])
def test_a_cookie_stays_with_its_host_and_path(cookies, url):
    cookies.store(URL, ['a=1; Path=/cometd'])
    assert cookies.header(URL) == 'a=1'
    assert cookies.header(url) is None


def test_a_domain_cookie_follows_to_another_instance(cookies):
    cookies.store(URL, ['a=1; Path=/; Domain=.example.com'])
    assert cookies.header('https://na2.example.com/cometd/60.0') == 'a=1'


def test_a_cookie_for_a_foreign_domain_is_refused(cookies):
    cookies.store(URL, ['a=1; Domain=.salesforce.com'])
    assert cookies.header('https://na1.salesforce.com/') is None


def test_a_secure_cookie_does_not_leave_over_http(cookies):
    cookies.store(URL, ['a=1; Path=/; Secure'])
    assert cookies.header(URL.replace('https', 'http')) is None


def test_a_cookie_ends_with_its_max_age(cookies, clock):
    cookies.store(URL, ['a=1; Max-Age=60', 'b=2'])
    assert sorted(cookies.header(URL).split('; ')) == ['a=1', 'b=2']
    clock.ahead = 61
    assert cookies.header(URL) == 'b=2'


def test_a_cookie_that_expires_in_the_past_is_deleted(cookies):
    cookies.store(URL, ['a=1; Path=/'])
    cookies.store(URL, ['a=1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT'])
    assert cookies.header(URL) is None


def test_a_port_makes_no_difference(cookies):
    cookies.store('http://localhost:8080/cometd', ['a=1; Path=/'])
    assert cookies.header('http://localhost:8081/cometd') == 'a=1'


@pytest.mark.parametrize('value', ['a=\x01', 'a=1\r\nX: y', 'a=' + 'x' * 5000, '', ';;;'])
def test_a_cookie_that_could_not_be_sent_is_ignored(cookies, value):
    cookies.store(URL, [value, 'b=2'])
    assert cookies.header(URL) == 'b=2'


@settings(deadline=None)
@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=30), max_size=4))
def test_any_header_is_taken_or_ignored(values):
    cookies = Cookies()
    cookies.store(URL, values)
    header = cookies.header(URL)
    assert header is None or '\r' not in header
