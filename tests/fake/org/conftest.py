"""What the tests of the org share: an org whose time the test moves, and what it emitted."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from fake_salesforce.org import Org, default_seed

EPOCH = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


def quoted(value: str) -> str:
    """The value as a literal: what the parser reads back as the same text."""
    escaped = value.replace('\\', '\\\\').replace("'", "\\'")
    for name, character in (('n', '\n'), ('r', '\r'), ('t', '\t'), ('b', '\b'), ('f', '\f')):
        escaped = escaped.replace(character, f'\\{name}')
    return f"'{escaped}'"


class World:
    """An org with the built-in seed and more; Ada writes."""

    def __init__(self, **seed: Any) -> None:
        self.now = 0.0
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.org = Org(
            {**default_seed(), **seed},
            random=Random(7),
            epoch=EPOCH,
            emit=lambda channel, data, now: self.events.append((channel, data)),
        )
        self.ada = self.org.users.by_username('ada@example.com').id
        self.integration = self.org.users.by_username('integration@example.com').id

    def create(self, sobject: str, *, by: str | None = None, **values: Any) -> str:
        return self.org.create(sobject, values, user_id=by or self.ada, now=self.now)

    def update(self, sobject: str, record_id: str, *, by: str | None = None, **values: Any) -> None:
        self.org.update(sobject, record_id, values, user_id=by or self.ada, now=self.now)

    def delete(self, sobject: str, record_id: str) -> None:
        self.org.delete(sobject, record_id, user_id=self.ada, now=self.now)

    def undelete(self, sobject: str, record_id: str) -> None:
        self.org.undelete(sobject, record_id, user_id=self.ada, now=self.now)

    def topic(self, query: str, name: str = 'Watch', **values: Any) -> str:
        return self.create('PushTopic', Name=name, Query=query, ApiVersion=67.0, **values)

    def query(self, soql: str, **options: Any) -> list[dict[str, Any]]:
        return self.org.query(soql, now=self.now, **options)

    def values(self, soql: str) -> list[Any]:
        """The values of the one selected field."""
        return [value for row in self.query(soql) for name, value in row.items() if name != 'attributes']

    def take(self, channel: str) -> list[dict[str, Any]]:
        """What was emitted on this channel since the last `take`."""
        found = [data for each, data in self.events if each == channel]
        self.events = [(each, data) for each, data in self.events if each != channel]
        return found


@pytest.fixture
def make_world():
    return World


@pytest.fixture
def world():
    return World()
