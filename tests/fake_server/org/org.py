"""An org: its records, the rules for writing them, and the events that writes raise. Pure.

It never looks at a clock: `now` comes with each call, in seconds, and means `epoch` plus so much. Chance
comes from the `random` it is given. What it raises goes to `emit`, before the write returns.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from .bus import generic_event, platform_event
from .changes import NO_RECORD, Transaction, gap, rest_origin
from .describe import describe, describe_global
from .errors import OrgError, no_resource
from .ids import long_id
from .moments import moment_after
from .planting import plant
from .query import Found, run
from .raising import Write, change_channels, event_channels, events_of
from .reading import by_external_id, external_id, read
from .records import Author
from .schema import Kind, SObject
from .seed import read_seed
from .standard import standard_schema
from .state import new_state
from .subscribing import topic_problem
from .users import App, Users
from .writing import checked_row, store

__all__ = ['Org']

DEFAULT_API_VERSION = '67.0'

Emit = Callable[[str, dict[str, Any], float], None]


class Created(str):
    """Id of a new record; of a platform event, `event_uuid` is what identifies the message."""

    event_uuid: str | None = None


class Org:
    """One org.

    Names of objects and fields come in any case; in answers they are in the org's spelling.

    Args:
        seed: what it is born with; `seed.default_seed()` for the built-in one.
        random: draws ids, keys and numbers.
        epoch: an aware datetime, the moment at which `now` is 0.
        emit: called with channel, `data` (without replay id) and `now` of each event.
        now: when it is born.
    Raises:
        ValueError: everything that is wrong with the seed, in one text.
    """

    def __init__(
        self,
        seed: Mapping[str, Any],
        *,
        random: Random,
        epoch: datetime,
        emit: Emit,
        now: float = 0.0,
    ) -> None:
        self._random = random
        self._epoch = epoch
        self._emit = emit
        self._commits = random.randrange(10**10, 10**11)
        self._state = new_state(standard_schema(), random)
        self.add(seed, now=now)

    def add(self, seed: Mapping[str, Any], *, now: float = 0.0) -> None:
        """Add seed content. No events are raised. A user or app that is known is replaced.

        Raises:
            ValueError: everything that is wrong with it, in one text; nothing was added.
        """
        checked = read_seed(seed)
        state = copy.deepcopy(self._state)
        plant(checked, state, self._moment(now), DEFAULT_API_VERSION)
        self._state = state

    # --- who -----------------------------------------------------------------------------------

    @property
    def organization_id(self) -> str:
        """The id of the org, 18 characters."""
        return self._state.organization_id

    @property
    def organization(self) -> dict[str, Any]:
        """The record of the org: `Name`, `IsSandbox`, ..."""
        return self.read('Organization', self.organization_id)

    @property
    def users(self) -> Users:
        """The users. A view of this moment: `add` makes a new one."""
        return self._state.users

    @property
    def apps(self) -> Mapping[str, App]:
        """The connected apps by consumer key. A view of this moment."""
        return self._state.apps

    # --- reading -------------------------------------------------------------------------------

    def read(
        self,
        sobject: str,
        record_id: str,
        fields: Sequence[str] | None = None,
        *,
        api_version: str = DEFAULT_API_VERSION,
    ) -> dict[str, Any]:
        """One record as REST shows it, with `attributes`.

        Args:
            fields: which; None for all.
        Raises:
            OrgError: `NOT_FOUND`, `ENTITY_IS_DELETED`, `INVALID_FIELD`.
        """
        return read(self._state, self._find(sobject), record_id, fields, api_version)

    def external_id(self, sobject: str, field: str, text: str) -> object:
        """An external id from an address, as the JSON value that `find` and `create` take.

        Raises:
            OrgError: `NOT_FOUND`: there is no such object, or the field is no external id.
        """
        return external_id(self._find(sobject), field, text)

    def find(self, sobject: str, field: str, value: object) -> str | None:
        """Id of the record with this external id, None if there is none.

        Raises:
            OrgError: `NOT_FOUND`: there is no such object, or the field is no external id.
        """
        return by_external_id(self._state, self._find(sobject), field, value)

    def query(
        self, soql: str, *, now: float, all_rows: bool = False, api_version: str = DEFAULT_API_VERSION
    ) -> Found:
        """All records that a query finds; `total` of the answer counts also those of `COUNT()`.

        Args:
            now: what `TODAY` and its like count from.
            all_rows: whether deleted records are among them.
        Raises:
            OrgError: `MALFORMED_QUERY`, `INVALID_TYPE`, `INVALID_FIELD`, ...
        """
        return run(
            soql,
            self._state.schema,
            self._state.records,
            today=self._moment(now).date(),
            with_deleted=all_rows,
            api_version=api_version,
        )

    def describe(self, sobject: str, *, api_version: str = DEFAULT_API_VERSION) -> dict[str, Any]:
        """What an object looks like. Raises OrgError `NOT_FOUND`."""
        found = self._find(sobject)
        types = self._state.records.rows(self._find('RecordType'))
        own = [each for each in types if each['SobjectType'] == found.name]
        return describe(found, own, api_version)

    def describe_global(self, *, api_version: str = DEFAULT_API_VERSION) -> dict[str, Any]:
        """All objects in brief."""
        return describe_global(self._state.schema, api_version)

    def topic_problem(self, channel: str, fields: Sequence[str]) -> str | None:
        """Why a subscription to this channel is refused, in Salesforce's words; None if it is not.

        Args:
            channel: without its filter.
            fields: names of the fields that the filter looks at.
        """
        return topic_problem(channel, fields, self._state)

    # --- writing -------------------------------------------------------------------------------

    def create(
        self,
        sobject: str,
        values: Mapping[str, Any],
        *,
        user_id: str,
        now: float,
        api_version: str = DEFAULT_API_VERSION,
    ) -> Created:
        """Make a record, or publish a platform event; its id.

        Raises:
            OrgError: it is refused; nothing was changed and no event raised.
        """
        found = self._writable(sobject)
        author = self._author(user_id, now, api_version)
        row = checked_row(self._state, found, values, author, old=None)
        created = Created(row['Id'])
        if found.kind is Kind.EVENT:
            created.event_uuid = self._uuid()
            data = platform_event(found, row, created.event_uuid)
            self._raise(event_channels(found, self._state), data, now)
        else:
            self._commit(Write('created', found, None, row, self._transaction(author)), now)
        return created

    def update(
        self,
        sobject: str,
        record_id: str,
        values: Mapping[str, Any],
        *,
        user_id: str,
        now: float,
        api_version: str = DEFAULT_API_VERSION,
    ) -> None:
        """Change fields of a record.

        Raises:
            OrgError: it is refused; nothing was changed and no event raised.
        """
        found = self._writable(sobject)
        old = self._state.records.get(found, record_id)
        author = self._author(user_id, now, api_version)
        new = checked_row(self._state, found, values, author, old=old)
        self._commit(Write('updated', found, old, new, self._transaction(author)), now)

    def delete(
        self,
        sobject: str,
        record_id: str,
        *,
        user_id: str,
        now: float,
        api_version: str = DEFAULT_API_VERSION,
    ) -> None:
        """Put a record into the recycle bin. What hangs on it stays.

        Raises:
            OrgError: `NOT_FOUND`, `ENTITY_IS_DELETED`.
        """
        found = self._writable(sobject)
        old = self._state.records.get(found, record_id)
        author = self._author(user_id, now, api_version)
        new = {**old, **author.stamps, 'IsDeleted': True}
        self._commit(Write('deleted', found, old, new, self._transaction(author)), now)

    def undelete(
        self,
        sobject: str,
        record_id: str,
        *,
        user_id: str,
        now: float,
        api_version: str = DEFAULT_API_VERSION,
    ) -> None:
        """Take a record out of the recycle bin.

        Raises:
            OrgError: `NOT_FOUND` if it is not in there.
        """
        found = self._writable(sobject)
        old = self._state.records.get(found, record_id, from_bin=True)
        author = self._author(user_id, now, api_version)
        new = checked_row(self._state, found, {}, author, old={**old, 'IsDeleted': False})
        self._commit(Write('undeleted', found, old, new, self._transaction(author)), now)

    def push(self, streaming_channel_id: str, events: Sequence[Any], *, now: float) -> list[dict[str, Any]]:
        """Send generic events; one answer for each, as REST shows it.

        Raises:
            OrgError: no such channel, or a payload that cannot be sent; none was sent.
        """
        channel = self._state.records.get(self._find('StreamingChannel'), streaming_channel_id)
        moment = self._moment(now)
        for data in [generic_event(each, moment) for each in events]:
            self._raise([str(channel['Name'])], data, now)
        # -1: to everybody who is subscribed.
        return [{'fanoutCount': -1, 'userOnlineStatus': {}} for _ in events]

    # --- what a test can make happen ---------------------------------------------------------------

    def raise_gap(
        self,
        sobject: str,
        record_ids: Sequence[str],
        *,
        change_type: str = 'GAP_UPDATE',
        user_id: str,
        now: float,
    ) -> None:
        """Raise a gap event: these records changed, and nobody can say how.

        Args:
            record_ids: in either form; of records in the recycle bin too.
            change_type: `GAP_CREATE`, `GAP_UPDATE`, `GAP_DELETE` or `GAP_UNDELETE`.
        Raises:
            OrgError: no such object.
            ValueError: its changes are not captured, or there is no such record.
        """
        found = self._find(sobject)
        known = {row['Id'] for row in self._state.records.rows(found, with_deleted=True)}
        for each in record_ids:
            if long_id(each) not in known:
                raise ValueError(f'there is no record {each} of {found.name}')
        self._raise_gap(found, record_ids, change_type, user_id, now)

    def raise_overflow(self, sobject: str, *, user_id: str, now: float) -> None:
        """Raise an overflow event: too many records of this object changed at once.

        Raises:
            OrgError, ValueError: as `raise_gap`.
        """
        self._raise_gap(self._find(sobject), [NO_RECORD], 'GAP_OVERFLOW', user_id, now)

    def _raise_gap(
        self, found: SObject, record_ids: Sequence[str], change_type: str, user_id: str, now: float
    ) -> None:
        channels = change_channels(found, self._state)
        # A platform event on a custom channel has channels, and no changes.
        if found.kind is Kind.EVENT or not channels:
            raise ValueError(f'{found.name} is not selected for Change Data Capture')
        # What the database did without an API has no origin.
        author = self._author(user_id, now, DEFAULT_API_VERSION)
        transaction = replace(self._transaction(author), origin='')
        data = gap(found, change_type, [long_id(each) for each in record_ids], transaction)
        self._raise(channels, data, now)

    # --- parts ---------------------------------------------------------------------------------

    def _find(self, sobject: str) -> SObject:
        found = self._state.schema.find(sobject)
        if found is None:
            raise no_resource()
        return found

    def _writable(self, sobject: str) -> SObject:
        found = self._find(sobject)
        if not found.writable:
            text = f'entity type cannot be written: {found.name}'
            raise OrgError('INSUFFICIENT_ACCESS_OR_READONLY', text)
        return found

    def _commit(self, write: Write, now: float) -> None:
        """Store a row and raise its events."""
        store(self._state, write.sobject, write.new)
        for channel, data in events_of(write, self._state):
            self._emit(channel, data, now)

    def _raise(self, channels: Sequence[str], data: dict[str, Any], now: float) -> None:
        for channel in channels:
            self._emit(channel, copy.deepcopy(data), now)

    def _author(self, user_id: str, now: float, api_version: str) -> Author:
        return Author(long_id(user_id), self._moment(now), api_version)

    def _transaction(self, author: Author) -> Transaction:
        self._commits += self._random.randrange(1, 1000)
        origin = rest_origin(author.api_version)
        return Transaction(self._uuid(), self._commits, author.moment, author.user_id, origin)

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _moment(self, now: float) -> datetime:
        return moment_after(self._epoch, now)
