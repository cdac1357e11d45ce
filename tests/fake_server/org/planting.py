"""A seed grows into an org: users, objects, records. Raises no events: it was always so. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .errors import OrgError
from .ids import is_id, long_id
from .records import Author
from .schema import Field, Kind, SObject
from .seed import AppSeed, ObjectSeed, Seed, UserSeed
from .standard import custom_object, platform_event
from .state import State
from .users import App, User
from .writing import checked_row, store

__all__ = ['plant']

_CUSTOM_FIELD = re.compile('[A-Za-z][A-Za-z0-9_]*__c')
_CUSTOM_OBJECT = re.compile('[A-Za-z][A-Za-z0-9_]*__[ce]')
_CUSTOM_CHANNEL = re.compile('/(data|event)/[A-Za-z][A-Za-z0-9_]*__chn')


def plant(seed: Seed, state: State, moment: datetime, api_version: str) -> None:
    """Add what a seed holds.

    Args:
        state: is changed, also when this raises.
        moment: when its records are said to have been made.
        api_version: of PushTopics that name none.
    Raises:
        ValueError: everything that does not fit, in one text.
    """
    planter = _Planter(state, moment, api_version)
    planter.organization(seed.organization)
    for user in seed.users:
        planter.user(user)
    # All names first: objects may refer to each other.
    for each in seed.objects:
        planter.object(each)
    for each in seed.objects:
        planter.check_references(each)
    for app in seed.apps:
        planter.app(app)
    for sobject, name in seed.record_types:
        planter.record_type(sobject, name)
    for sobject, values in seed.records:
        planter.record(f'records.{sobject}', sobject, values)
    for name in seed.streaming_channels:
        planter.record('streaming_channels', 'StreamingChannel', {'Name': name})
    for topic in seed.push_topics:
        planter.push_topic(topic)
    for name in seed.change_data_capture:
        planter.capture(name)
    for channel, members in seed.channels.items():
        planter.channel(channel, members)
    if planter.problems:
        raise ValueError('; '.join(planter.problems))


def _is_public_key(text: str) -> bool:
    try:
        return isinstance(load_pem_public_key(text.encode()), RSAPublicKey)
    except (ValueError, UnsupportedAlgorithm):
        return False


class _Planter:
    """Adds part after part and notes what does not fit."""

    def __init__(self, state: State, moment: datetime, api_version: str) -> None:
        self.problems: list[str] = []
        self._state = state
        self._moment = moment
        self._api_version = api_version

    def organization(self, content: Mapping[str, Any]) -> None:
        state = self._state
        record_id = content.get('id', state.organization_id)
        if not is_id(record_id) or not record_id.startswith('00D'):
            self.problems.append(f'organization.id: {record_id!r} is not the id of an organization')
            return
        if (
            state.records.at(state.organization_id) is not None
            and long_id(record_id) != state.organization_id
        ):
            # Its users' tokens and what clients remember of it name the old one.
            self.problems.append(f'organization.id: the org is {state.organization_id} already')
            return
        state.organization_id = long_id(record_id)
        state.max_push_topics = content.get('max_push_topics', state.max_push_topics)
        sobject = self._find('Organization')
        old = state.records.at(state.organization_id) or {
            **{each.name: each.default for each in sobject.fields.values()},
            'Name': 'Acme',
            'OrganizationType': 'Developer Edition',
            'Id': state.organization_id,
            'CreatedDate': self._moment,
        }
        stamps = {'LastModifiedDate': self._moment, 'SystemModstamp': self._moment}
        given = {'Name': content.get('name'), 'IsSandbox': content.get('sandbox')}
        changes = {name: value for name, value in given.items() if value is not None}
        state.records.put(sobject, {**old, **stamps, **changes})

    def user(self, seed: UserSeed) -> None:
        """A user; one of a name that is known takes the place of the old one and keeps its id."""
        state = self._state
        known = state.users.by_username(seed.username)
        profile_id = state.profiles.get(seed.profile) or state.ids.next('00e')
        state.profiles[seed.profile] = profile_id
        values = {
            'Username': seed.username,
            'FirstName': seed.first_name,
            'LastName': seed.last_name or seed.username.partition('@')[0],
            'Email': seed.email or seed.username,
            'IsActive': seed.active,
        }
        record_id = self.record('users', 'User', values, known.id if known else None)
        if record_id is None:
            return
        state.users.put(
            User(
                id=record_id,
                username=seed.username,
                password=seed.password,
                security_token=seed.security_token,
                first_name=seed.first_name or None,
                last_name=str(values['LastName']),
                email=str(values['Email']),
                profile=seed.profile,
                profile_id=profile_id,
                active=seed.active,
                locked=seed.locked,
                password_expired=seed.password_expired,
                api_login=seed.api_login,
            )
        )

    def app(self, seed: AppSeed) -> None:
        for username in (*((seed.run_as,) if seed.run_as else ()), *seed.approved):
            if self._state.users.by_username(username) is None:
                self.problems.append(f'apps.{seed.name}: there is no user {username}')
        if seed.public_key and not _is_public_key(seed.public_key):
            self.problems.append(
                f'apps.{seed.name}.public_key: no PEM with a public key (a certificate is none)'
            )
        self._state.apps[seed.consumer_key] = App(
            name=seed.name,
            consumer_key=seed.consumer_key,
            consumer_secret=seed.consumer_secret,
            run_as=seed.run_as or None,
            public_key=seed.public_key or None,
            approved=seed.approved,
            scopes=seed.scopes,
        )

    def object(self, seed: ObjectSeed) -> None:
        """A new object, or more fields for one that is there."""
        schema = self._state.schema
        self.problems += [
            f'objects.{seed.name}.{each.name}: names of custom fields end in __c'
            for each in seed.fields
            if not _CUSTOM_FIELD.fullmatch(each.name)
        ]
        known = schema.find(seed.name)
        if known is not None:
            wider = known.extended(self._further(known, seed.fields))
            schema.put(wider)
            self._state.records.widen(wider)
        elif not _CUSTOM_OBJECT.fullmatch(seed.name):
            self.problems.append(
                f'objects.{seed.name}: neither known nor a custom object (__c) or event (__e)'
            )
        elif seed.name.endswith('__e'):
            prefix = schema.next_prefix(Kind.EVENT)
            schema.put(platform_event(seed.name, seed.label, prefix, list(seed.fields)))
        else:
            prefix = schema.next_prefix(Kind.CUSTOM)
            new = custom_object(seed.name, seed.label, prefix, list(seed.fields), with_name=seed.with_name)
            schema.put(new)

    def _further(self, known: SObject, fields: Iterable[Field]) -> list[Field]:
        """Fields for an object that is there; those that it has keep their spelling and must keep their type.

        Its records hold values of that type, under that name.
        """
        result = []
        for each in fields:
            old = known.field(each.name) or each
            if old.type is not each.type:
                self.problems.append(
                    f'objects.{known.name}.{each.name}: the field is there, as {old.type.value}'
                )
            result.append(replace(each, name=old.name))
        return result

    def check_references(self, seed: ObjectSeed) -> None:
        for field in seed.fields:
            for target in field.references:
                known = self._state.schema.find(target)
                if known is None or known.name != target:
                    self.problems.append(f'objects.{seed.name}.{field.name}: there is no object {target}')

    def record_type(self, sobject: str, name: str) -> None:
        known = self._known(
            f'record_types.{sobject}', sobject, lambda each: each.field('RecordTypeId') is not None
        )
        if known is not None:
            values = {'SobjectType': known.name, 'DeveloperName': name, 'Name': name.replace('_', ' ')}
            self.record(f'record_types.{sobject}', 'RecordType', values)

    def push_topic(self, values: Mapping[str, Any]) -> None:
        self.record('push_topics', 'PushTopic', {'ApiVersion': float(self._api_version), **values})

    def record(
        self, where: str, sobject: str, values: Mapping[str, Any], record_id: str | None = None
    ) -> str | None:
        """A new record, or new values of an old one; its id, None if it does not fit."""
        known = self._known(where, sobject, lambda each: each.kind is not Kind.EVENT)
        if known is None:
            return None
        # Records are made by the first user, who made themselves.
        owner = next((each.id for each in self._state.users), '')
        author = Author(owner, self._moment, self._api_version)
        old = None if record_id is None else self._state.records.at(record_id)
        try:
            row = checked_row(self._state, known, values, author, old=old)
        except OrgError as error:
            self.problems.append(f'{where}: {error.message.strip()}')
            return None
        if not owner:
            row = {**row, 'CreatedById': row['Id'], 'LastModifiedById': row['Id']}
        store(self._state, known, row)
        return str(row['Id'])

    def capture(self, name: str) -> None:
        known = self._known('change_data_capture', name, lambda each: each.topics)
        if known is not None:
            self._state.change_data_capture.add(known.name)

    def channel(self, channel: str, members: tuple[str, ...]) -> None:
        where = f'channels.{channel}'
        if not _CUSTOM_CHANNEL.fullmatch(channel):
            self.problems.append(f'{where}: neither /data/X__chn nor /event/X__chn')
            return
        of_events = channel.startswith('/event/')
        found = [
            self._known(where, each, lambda it: (it.kind is Kind.EVENT) == of_events) for each in members
        ]
        self._state.channels[channel] = tuple(each.name for each in found if each is not None)

    def _known(self, where: str, name: str, fits: Callable[[SObject], bool]) -> SObject | None:
        """The object of this name; noted if there is none, or none that fits."""
        known = self._state.schema.find(name)
        if known is not None and fits(known):
            return known
        self.problems.append(
            f'{where}: {"there is no object" if known is None else "not possible for"} {name}'
        )
        return None

    def _find(self, name: str) -> SObject:
        found = self._state.schema.find(name)
        assert found is not None, 'a standard object'
        return found
