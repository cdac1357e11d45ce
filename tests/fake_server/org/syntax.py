"""What a parsed query is made of. Pure.

The names in it are as written; `binding` looks them up.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

__all__ = ['ESCAPE', 'ESCAPES', 'All', 'Construct', 'DateLiteral', 'Either', 'Literal', 'Not', 'Ordering']
__all__ += ['Path', 'Query', 'SemiJoin', 'Comparison', 'Text', 'Tree', 'unescaped']

ESCAPE = re.compile(r'\\(u[0-9A-Fa-f]{4}|.)', re.DOTALL)
ESCAPES = {
    'n': '\n',
    'r': '\r',
    't': '\t',
    'b': '\b',
    'f': '\f',
    '"': '"',
    "'": "'",
    '\\': '\\',
    '_': '_',
    '%': '%',
}
ESCAPES |= {'N': '\n', 'R': '\r', 'T': '\t', 'B': '\b', 'F': '\f'}


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or one of a related record: `Account.Name`. `column` counts from 1 in the text."""

    steps: tuple[str, ...]
    column: int

    def __str__(self) -> str:
        return '.'.join(self.steps)


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it stands between the quotes: `\\_` and `\\%` differ from `_` and `%` after LIKE only."""

    raw: str

    @property
    def value(self) -> str:
        """The text that is meant."""
        return ESCAPE.sub(lambda found: unescaped(found[1]), self.raw)


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """`TODAY`, or `LAST_N_DAYS:30`. The name is in capitals."""

    name: str
    number: int | None


Literal = Text | DateLiteral | bool | int | float | date | datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison.

    Attributes:
        operator: `=`, `!=`, `<`, `<=`, `>`, `>=`, `LIKE`, `IN` or `NOT IN`.
        values: one; after the last two operators, at least one.
    """

    path: Path
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """`Id IN (SELECT ...)`, or NOT IN: recognised, never run."""

    path: Path


@dataclass(frozen=True, slots=True)
class All:
    """Conditions joined by AND."""

    parts: tuple['Tree', ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by OR."""

    parts: tuple['Tree', ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: 'Tree'


Tree = Comparison | SemiJoin | All | Either | Not


@dataclass(frozen=True, slots=True)
class Ordering:
    """One key of ORDER BY."""

    path: Path
    descending: bool
    nulls_last: bool


class Construct(Enum):
    """What a query may hold that the org does not run; the value is what it calls it."""

    SUB_SELECT = 'sub-selects in the field list'
    SEMI_JOIN = 'semi/anti join sub-selects'
    AGGREGATE = 'aggregate functions and GROUP BY'
    TYPEOF = 'TYPEOF'


@dataclass(frozen=True, slots=True)
class Query:
    """A query.

    Attributes:
        text: as it came.
        fields: of the SELECT clause; empty for `SELECT COUNT()`.
        count: whether it is `SELECT COUNT()`.
        sobject: name after FROM.
        column: where that name stands, from 1.
        alias: the name behind it, if any.
        where: the condition, if any.
        order, limit, offset: the clauses behind it.
        constructs: what it holds beyond that.
    """

    text: str
    fields: tuple[Path, ...]
    count: bool
    sobject: str
    column: int
    alias: str | None
    where: Tree | None
    order: tuple[Ordering, ...]
    limit: int | None
    offset: int | None
    constructs: frozenset[Construct]


def unescaped(code: str) -> str:
    """The character behind a backslash, or behind `u` and four digits."""
    return chr(int(code[1:], 16)) if len(code) > 1 else ESCAPES.get(code, code)
