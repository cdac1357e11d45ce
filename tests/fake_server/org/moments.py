"""Dates and times: how Salesforce writes them, and the words that queries have for them. Pure.

Moments are aware datetimes in UTC with whole milliseconds. "Today" is the day in UTC.
"""

import re
from datetime import UTC, date, datetime, timedelta

__all__ = ['LITERALS', 'milliseconds', 'moment_after', 'parse_date', 'parse_datetime', 'period']
__all__ += ['wire_date', 'wire_datetime']

_DATE = re.compile(r'\d{4}-\d{2}-\d{2}')
_DATETIME = re.compile(r'\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?')

# Days and weeks, months and years: literals without a number. Weeks begin on Sunday, as in the US locale.
LITERALS = frozenset(
    f'{when}_{unit}' for when in ('LAST', 'THIS', 'NEXT') for unit in ('WEEK', 'MONTH', 'YEAR')
) | {'YESTERDAY', 'TODAY', 'TOMORROW', 'LAST_N_DAYS', 'NEXT_N_DAYS'}


def moment_after(epoch: datetime, seconds: float) -> datetime:
    """The moment that many seconds after `epoch`, cut to milliseconds."""
    moment = epoch + timedelta(seconds=seconds)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, as change events count."""
    return round(moment.timestamp() * 1000)


def wire_datetime(moment: datetime, zone: str = '+0000') -> str:
    """`2016-03-29T16:40:08.208+0000` in REST, with `Z` in events."""
    return f'{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{zone}'


def wire_date(day: date) -> str:
    """`2016-03-29`."""
    return day.isoformat()


def parse_date(text: str) -> date:
    """The day of `2016-03-29`. Raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError(f'{text!r} is not a date')
    return date.fromisoformat(text)


def parse_datetime(text: str) -> datetime:
    """The moment of `2016-03-29T16:40:08Z` and its like; without a zone it is in UTC. Raises ValueError."""
    if not _DATETIME.fullmatch(text):
        raise ValueError(f'{text!r} is not a date and time')
    moment = datetime.fromisoformat(text)
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:  # a day before the year 1 or after 9999
        raise ValueError(f'{text!r} is out of range') from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def period(literal: str, number: int | None, today: date) -> tuple[date, date]:
    """First day of a date literal, and the day after its last.

    Args:
        literal: one of `LITERALS`, in capitals.
        number: that of `LAST_N_DAYS:30`, else None.
        today: the day of the query.
    """
    if literal in ('YESTERDAY', 'TODAY', 'TOMORROW'):
        first = today + timedelta(days=('YESTERDAY', 'TODAY', 'TOMORROW').index(literal) - 1)
        return first, first + timedelta(days=1)
    days = timedelta(days=number or 0)
    if literal == 'LAST_N_DAYS':  # includes today (SOQL reference, "Date Formats and Date Literals")
        return today - days, today + timedelta(days=1)
    if literal == 'NEXT_N_DAYS':
        return today + timedelta(days=1), today + timedelta(days=1) + days
    when, unit = literal.split('_')
    step = ('LAST', 'THIS', 'NEXT').index(when) - 1
    if unit == 'WEEK':
        sunday = today - timedelta(days=today.isoweekday() % 7) + timedelta(weeks=step)
        return sunday, sunday + timedelta(weeks=1)
    if unit == 'MONTH':
        return _month(today, step), _month(today, step + 1)
    return date(today.year + step, 1, 1), date(today.year + step + 1, 1, 1)


def _month(day: date, step: int) -> date:
    """First day of the month that many months later."""
    months = day.year * 12 + day.month - 1 + step
    return date(months // 12, months % 12 + 1, 1)
