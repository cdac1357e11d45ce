"""Whether a record meets a condition, as Salesforce sees it. Pure.

Two truth values, not three: what is compared with a value and is empty is unequal to it, so `!=` and
NOT IN find empty fields, and everything else but `= null` does not. Texts do not differ by case.
Source: SOQL reference, "Comparison Operators", "Text Comparisons" and "NULL".
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from .binding import AllOf, AnyOf, Check, Column, Condition, Contrary
from .moments import period
from .records import Row, comparable
from .syntax import ESCAPE, DateLiteral, unescaped
from .values import FieldType, Value

__all__ = ['matches', 'value_of']

Look = Callable[[str], Row | None]
'The record with this id, if there is one.'


def matches(condition: Condition | None, row: Row, *, today: date, look: Look) -> bool:
    """Whether the record meets the condition; no condition is met by all.

    Args:
        today: what date literals count from.
        look: how to find related records.
    """
    match condition:
        case None:
            return True
        case AllOf(parts=parts):
            return all(matches(each, row, today=today, look=look) for each in parts)
        case AnyOf(parts=parts):
            return any(matches(each, row, today=today, look=look) for each in parts)
        case Contrary(part=part):
            return not matches(part, row, today=today, look=look)
        case Check():
            return _holds(condition, value_of(condition.column, row, look), today)


def value_of(column: Column, row: Row, look: Look) -> Value:
    """The value in this column; None as well if a link leads nowhere."""
    for link in column.links:
        target = row[link.name]
        found = None if target is None else look(str(target))
        if found is None:
            return None
        row = found
    # Of an object that the field leads to besides the first, only what both have can be seen.
    return row.get(column.field.name)


def _holds(check: Check, value: Value, today: date) -> bool:
    type_ = check.column.field.type
    match check.operator:
        case 'LIKE':
            patterns = check.values
            return isinstance(value, str) and isinstance(patterns[0], str) and _like(patterns[0], value)
        case '=' | 'IN':
            return any(_equal(type_, value, each, today) for each in check.values)
        case '!=' | 'NOT IN':
            return not any(_equal(type_, value, each, today) for each in check.values)
        case operator:
            return _in_order(operator, type_, value, check.values[0], today)


def _equal(type_: FieldType, value: Value, other: Value | DateLiteral, today: date) -> bool:
    if isinstance(other, DateLiteral):
        first, after = _bounds(type_, other, today)
        return value is not None and first <= value < after
    return comparable(type_, value) == comparable(type_, other)


def _in_order(operator: str, type_: FieldType, value: Value, other: Value | DateLiteral, today: date) -> bool:
    """A period is one long moment: later than it means after its end."""
    if isinstance(other, DateLiteral):
        first, after = _bounds(type_, other, today)
        return value is not None and _PERIOD_TESTS[operator](value, first, after)
    if value is None or other is None:
        return False
    return _TESTS[operator](comparable(type_, value), comparable(type_, other))


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    '<': lambda value, other: value < other,
    '<=': lambda value, other: value <= other,
    '>': lambda value, other: value > other,
    '>=': lambda value, other: value >= other,
}
_PERIOD_TESTS: Mapping[str, Callable[[Any, Any, Any], bool]] = {
    '<': lambda value, first, after: value < first,
    '<=': lambda value, first, after: value < after,
    '>': lambda value, first, after: value >= after,
    '>=': lambda value, first, after: value >= first,
}


def _bounds(type_: FieldType, literal: DateLiteral, today: date) -> tuple[Any, Any]:
    """First day or moment of the period, and the first behind it."""
    first, after = period(literal.name, literal.number, today)
    if type_ is FieldType.DATE:
        return first, after
    return datetime.combine(first, time(), UTC), datetime.combine(after, time(), UTC)


def _like(pattern: str, value: str) -> bool:
    return _expression(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1000)
def _expression(pattern: str) -> re.Pattern[str]:
    """`%` is any text, `_` one character; escaped they are themselves.

    What follows a `%` is looked for once, where it comes first: an expression that tries all places is
    exponential in the number of `%`, and one query would stop the server.
    """
    pieces = ['']
    rest = 0
    for found in ESCAPE.finditer(pattern):
        _add(pieces, pattern[rest : found.start()])
        pieces[-1] += re.escape(unescaped(found[1]))
        rest = found.end()
    _add(pieces, pattern[rest:])
    first, *others = pieces
    middle = ''.join(f'(?>.*?{piece})' for piece in others[:-1] if piece)
    last = f'.*{others[-1]}' if others else ''
    return re.compile(first + middle + last, re.IGNORECASE | re.DOTALL)


def _add(pieces: list[str], text: str) -> None:
    """Add plain text to pieces that are parted by `%`."""
    head, *more = (re.escape(part).replace('_', '.') for part in text.split('%'))
    pieces[-1] += head
    pieces += more
