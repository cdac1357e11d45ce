from datetime import UTC, date, datetime, timedelta

import pytest
from fake_salesforce.org.moments import (
    LITERALS,
    milliseconds,
    moment_after,
    parse_date,
    parse_datetime,
    period,
    wire_date,
    wire_datetime,
)
from hypothesis import given
from hypothesis import strategies as st

MONDAY = date(2026, 3, 2)


def test_now_is_seconds_after_the_epoch_in_whole_milliseconds():
    moment = moment_after(datetime(2026, 1, 1, tzinfo=UTC), 3600.1239)
    assert wire_datetime(moment) == '2026-01-01T01:00:00.123+0000'
    assert milliseconds(moment) == 1767229200123


# Hypothesis wants bounds without a zone.
BOUNDS = (datetime(1970, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001


@given(st.datetimes(*BOUNDS, timezones=st.just(UTC)))
def test_what_is_written_is_read_back(moment):
    moment = moment_after(moment, 0)
    assert parse_datetime(wire_datetime(moment)) == moment
    assert parse_datetime(wire_datetime(moment, 'Z')) == moment
    assert parse_date(wire_date(moment.date())) == moment.date()


@pytest.mark.parametrize(
    ('text', 'hour'),
    [
        ('2026-03-02T10:00:00Z', 10),
        ('2026-03-02T10:00:00.000+0000', 10),
        ('2026-03-02T10:00:00+02:00', 8),
        ('2026-03-02T10:00:00.5-0300', 13),
        ('2026-03-02T10:00Z', 10),
        ('2026-03-02T10:00:00', 10),
    ],
)
def test_moments_are_read_in_their_zones(text, hour):
    moment = parse_datetime(text)
    assert (moment.hour, moment.utcoffset()) == (hour, timedelta(0))


@pytest.mark.parametrize(
    'text', ['', '2026-03-02', '2026-13-02T10:00:00Z', '2026-03-02 10:00:00Z', 'x2026-03-02T10:00:00Z']
)
def test_other_texts_are_no_moments(text):
    with pytest.raises(ValueError):
        parse_datetime(text)


@pytest.mark.parametrize('text', ['', '2026-3-2', '2026-02-30', '2026-03-02T10:00:00Z', '20260302'])
def test_other_texts_are_no_days(text):
    with pytest.raises(ValueError):
        parse_date(text)


@pytest.mark.parametrize(
    ('literal', 'number', 'first', 'after'),
    [
        ('YESTERDAY', None, '2026-03-01', '2026-03-02'),
        ('TODAY', None, '2026-03-02', '2026-03-03'),
        ('TOMORROW', None, '2026-03-03', '2026-03-04'),
        ('LAST_N_DAYS', 2, '2026-02-28', '2026-03-03'),
        ('NEXT_N_DAYS', 2, '2026-03-03', '2026-03-05'),
        ('LAST_WEEK', None, '2026-02-22', '2026-03-01'),
        ('THIS_WEEK', None, '2026-03-01', '2026-03-08'),
        ('NEXT_WEEK', None, '2026-03-08', '2026-03-15'),
        ('LAST_MONTH', None, '2026-02-01', '2026-03-01'),
        ('THIS_MONTH', None, '2026-03-01', '2026-04-01'),
        ('NEXT_MONTH', None, '2026-04-01', '2026-05-01'),
        ('LAST_YEAR', None, '2025-01-01', '2026-01-01'),
        ('THIS_YEAR', None, '2026-01-01', '2027-01-01'),
        ('NEXT_YEAR', None, '2027-01-01', '2028-01-01'),
    ],
)
def test_literals_are_periods(literal, number, first, after):
    assert period(literal, number, MONDAY) == (date.fromisoformat(first), date.fromisoformat(after))


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)), st.sampled_from(sorted(LITERALS)), st.integers(1, 400))
def test_periods_are_not_empty_and_those_of_this_hold_today(today, literal, number):
    first, after = period(literal, number, today)
    assert first < after
    if literal.startswith('THIS') or literal == 'TODAY':
        assert first <= today < after


def test_on_a_sunday_the_week_begins():
    sunday = date(2026, 3, 1)
    assert period('THIS_WEEK', None, sunday)[0] == sunday
