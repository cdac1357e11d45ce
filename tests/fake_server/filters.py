"""Filtered subscriptions: `/topic/Name?Field=value&Other='text'`, where `&` means OR. Pure.

Source: Streaming API, "Filtered Subscriptions". Values may stand in quotes or not: the documentation shows
both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ['Filter', 'split']


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a subscription lets through. Without terms: all of them.

    Attributes:
        terms: (field, value) pairs, of which one has to be true.
    """

    terms: tuple[tuple[str, str], ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The names in the terms."""
        return tuple(name for name, _ in self.terms)

    def lets_through(self, data: Mapping[str, Any]) -> bool:
        """Whether the record of an event has one of the values."""
        if not self.terms:
            return True
        record = data.get('sobject')
        fields = record.items() if isinstance(record, Mapping) else ()
        values = {name.lower(): _text(value) for name, value in fields}
        return any(values.get(name.lower()) == value for name, value in self.terms)


def split(subscription: str) -> tuple[str, Filter]:
    """The channel of a subscription, and its filter.

    A part that is no `field=value` becomes a term for a field of that name: no topic has one.
    """
    channel, _, query = subscription.partition('?')
    return channel, Filter(tuple(_term(part) for part in _parts(query)))


def _parts(query: str) -> list[str]:
    """The query at its ampersands, those in quotes left alone."""
    parts, part, quoted = [], '', False
    for letter in query:
        quoted = quoted is not (letter == "'")
        if letter == '&' and not quoted:
            parts.append(part)
            part = ''
        else:
            part += letter
    return [each for each in (*parts, part) if each]


def _term(part: str) -> tuple[str, str]:
    name, _, value = part.partition('=')
    if len(value) >= 2 and value[0] == value[-1] == "'":
        value = value[1:-1]
    return name, value


def _text(value: Any) -> str:
    """A value as it stands in a filter."""
    if value is None:
        return 'null'
    return str(value).lower() if isinstance(value, bool) else str(value)
