"""When a login may be tried. The clock is the test's."""

import pytest

from nameko_salesforce.login_pace import LoginPace

NOW = 1000.0
NOW_IS_FINE = (0.0, '', False)
REFUSED = 'login refused: INVALID_LOGIN'


def refuse(pace, now, jitter=0.0):
    pace.begin(now)
    return pace.refused(now, jitter, REFUSED)


def fail(pace, now, jitter=0.0, retry_after=0.0):
    pace.begin(now)
    return pace.failed(now, jitter, 'login failed', retry_after)


def test_the_first_login_need_not_wait():
    assert LoginPace(1).wait(0.0) == NOW_IS_FINE


def test_a_refusal_is_followed_by_a_pause_of_minutes():
    pace = LoginPace(30)
    assert 60 <= refuse(pace, NOW, jitter=0.999) < refuse(LoginPace(30), NOW, jitter=0.0) == 75


def test_the_pauses_grow_up_to_half_an_hour():
    pace, now, pauses = LoginPace(1000), NOW, []
    for _ in range(8):
        pauses.append(refuse(pace, now))
        now += pauses[-1]
        assert pace.wait(now)[0] == 0.0
    assert pauses == [75, 150, 300, 600, 1200, 1800, 1800, 1800]


def test_ten_wrong_logins_take_hours():
    # Salesforce locks a user after three to ten.
    pace, now = LoginPace(1000), 0.0
    for _ in range(10):
        now += refuse(pace, now, jitter=0.999)
    assert now > 2 * 3600


def test_during_a_pause_its_rest_and_its_reason_are_told():
    pace = LoginPace(30)
    pause = refuse(pace, NOW)
    assert pace.wait(NOW + 15) == (pause - 15, REFUSED, True)
    assert pace.wait(NOW + pause) == NOW_IS_FINE


def test_a_success_ends_the_growth():
    pace = LoginPace(30)
    refuse(pace, NOW)
    refuse(pace, NOW + 100)
    pace.begin(NOW + 300)
    pace.succeeded()
    assert pace.wait(NOW + 300) == NOW_IS_FINE
    assert refuse(pace, NOW + 301) == 75


def test_failures_pause_for_seconds_and_do_not_end_the_growth_of_refusals():
    pace = LoginPace(30)
    refuse(pace, NOW)
    assert [fail(pace, NOW + 100 + each) for each in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert refuse(pace, NOW + 300) == 150


def test_a_pause_says_whether_it_follows_a_refusal_or_a_failure():
    pace = LoginPace(30)
    fail(pace, NOW)
    assert pace.wait(NOW) == (0.5, 'login failed', False)
    refuse(pace, NOW + 1)
    assert pace.wait(NOW + 1).refused
    fail(pace, NOW + 100)
    assert not pace.wait(NOW + 100).refused


@pytest.mark.parametrize(('asked', 'kept'), [(0.1, 0.5), (120.0, 120.0), (86_400.0, 1800.0)])
def test_a_server_may_ask_for_a_longer_pause_within_reason(asked, kept):
    assert fail(LoginPace(30), NOW, retry_after=asked) == kept


def test_logins_of_an_hour_are_bounded():
    pace = LoginPace(3)
    for each in range(3):
        assert pace.wait(NOW + each)[0] == 0.0
        pace.begin(NOW + each)
        pace.succeeded()
    assert pace.wait(NOW + 100) == (3500.0, '3 logins in an hour (LOGINS_PER_HOUR)', False)
    assert pace.wait(NOW + 3600) == NOW_IS_FINE
    pace.begin(NOW + 3600)
    pace.succeeded()
    assert pace.wait(NOW + 3600)[0] == 1.0


def test_an_outage_does_not_use_up_the_logins_of_the_hour():
    pace = LoginPace(2)
    for each in range(50):
        fail(pace, NOW + 40 * each)
    assert pace.wait(NOW + 40 * 50) == NOW_IS_FINE


def test_a_login_of_which_nothing_is_heard_counts():
    pace = LoginPace(1)
    pace.begin(NOW)
    assert pace.wait(NOW + 1)[0] == 3599.0
