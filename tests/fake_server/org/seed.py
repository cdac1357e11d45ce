"""What an org is born with: read from YAML or given as a mapping, and checked for its shape. Pure.

Whether its parts fit together (objects that exist, users that apps run as) is for `org.Org` to say.
The built-in seed, `default.yaml`, shows most of the notation; `docs/testing.md` explains all of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .notation import read_field
from .schema import Field, label_of

__all__ = ['AppSeed', 'ObjectSeed', 'Seed', 'UserSeed', 'default_seed', 'load_seed', 'read_seed']

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSeed:
    """A user as the seed has them; see `users.User`."""

    username: str
    password: str = field(repr=False)
    security_token: str = field(repr=False)
    first_name: str
    last_name: str
    email: str
    profile: str
    active: bool
    locked: bool
    password_expired: bool
    api_login: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSeed:
    """A connected app as the seed has it; see `users.App`."""

    name: str
    consumer_key: str
    consumer_secret: str = field(repr=False)
    run_as: str
    public_key: str
    approved: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectSeed:
    """A custom object, a platform event, or further fields of an object that is there."""

    name: str
    label: str
    with_name: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed of the right shape; every part may be empty.

    Attributes:
        organization: `name`, `id`, `sandbox` and `max_push_topics`, those that were given.
        users, apps, objects: see their classes.
        record_types: (object, developer name) pairs.
        change_data_capture: names of objects.
        channels: custom channel -> names of the objects or events on it.
        streaming_channels: names of generic channels, `/u/...`.
        push_topics: records of PushTopic.
        records: (object, values) pairs.
    """

    organization: Json
    users: tuple[UserSeed, ...]
    apps: tuple[AppSeed, ...]
    objects: tuple[ObjectSeed, ...]
    record_types: tuple[tuple[str, str], ...]
    change_data_capture: tuple[str, ...]
    channels: Mapping[str, tuple[str, ...]]
    streaming_channels: tuple[str, ...]
    push_topics: tuple[Json, ...]
    records: tuple[tuple[str, Json], ...]


class _Loader(yaml.SafeLoader):
    """Dates stay texts, as in JSON; no aliases, with which a short text can mean gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError('aliases are not allowed')
        return super().compose_node(parent, index)

    yaml_implicit_resolvers = {
        first: [(tag, expression) for tag, expression in resolvers if not tag.endswith(':timestamp')]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def default_seed() -> Json:
    """The built-in seed."""
    return load_seed(Path(__file__).with_name('default.yaml').read_text(encoding='utf-8'))


def load_seed(text: str) -> Json:
    """The mapping in a YAML text. Raises ValueError if it is no YAML, or no mapping."""
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f'not YAML: {error}') from None
    except RecursionError:
        raise ValueError('nested too deeply') from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ValueError('not a mapping')
    return content


def read_seed(seed: Json) -> Seed:
    """Check the shape of a seed.

    Raises:
        ValueError: everything that is wrong with it, in one text.
    """
    reader = _Reader()
    parts = reader.entry('', seed, _SEED)
    result = Seed(
        organization={
            key: value
            for key, value in reader.entry('organization', parts['organization'], _ORGANIZATION).items()
            if value is not None
        },
        users=tuple(UserSeed(**each) for each in reader.entries('users', parts['users'], _USER)),
        apps=tuple(
            AppSeed(
                **{
                    **each,
                    'approved': reader.texts(f'apps[{place}].approved', each['approved']),
                    'scopes': reader.texts(f'apps[{place}].scopes', each['scopes']),
                }
            )
            for place, each in enumerate(reader.entries('apps', parts['apps'], _APP))
        ),
        objects=tuple(reader.object(name, each) for name, each in parts['objects'].items()),
        record_types=tuple(
            (str(sobject), name)
            for sobject, names in parts['record_types'].items()
            for name in reader.texts(f'record_types.{sobject}', names)
        ),
        change_data_capture=reader.texts('change_data_capture', parts['change_data_capture']),
        channels={
            str(name): reader.texts(f'channels.{name}', members)
            for name, members in parts['channels'].items()
        },
        streaming_channels=reader.texts('streaming_channels', parts['streaming_channels']),
        push_topics=reader.mappings('push_topics', parts['push_topics']),
        records=tuple(
            (str(sobject), values)
            for sobject, rows in parts['records'].items()
            for values in reader.mappings(f'records.{sobject}', rows)
        ),
    )
    if reader.problems:
        raise ValueError('; '.join(reader.problems))
    return result


@dataclass(frozen=True, slots=True)
class _Key:
    """What a key may hold; without a default it has to be there."""

    type: type
    default: Any = None
    required: bool = False


_SEED = {
    'organization': _Key(dict, {}),
    'users': _Key(list, []),
    'apps': _Key(list, []),
    'objects': _Key(dict, {}),
    'record_types': _Key(dict, {}),
    'change_data_capture': _Key(list, []),
    'channels': _Key(dict, {}),
    'streaming_channels': _Key(list, []),
    'push_topics': _Key(list, []),
    'records': _Key(dict, {}),
}
_ORGANIZATION = {
    'name': _Key(str),
    'id': _Key(str),
    'sandbox': _Key(bool),
    'max_push_topics': _Key(int),
}
_USER = {
    'username': _Key(str, required=True),
    'password': _Key(str, ''),
    'security_token': _Key(str, ''),
    'first_name': _Key(str, ''),
    'last_name': _Key(str, ''),
    'email': _Key(str, ''),
    'profile': _Key(str, 'System Administrator'),
    'active': _Key(bool, True),
    'locked': _Key(bool, False),
    'password_expired': _Key(bool, False),
    'api_login': _Key(bool, True),
}
_APP = {
    'name': _Key(str, required=True),
    'consumer_key': _Key(str, required=True),
    'consumer_secret': _Key(str, ''),
    'run_as': _Key(str, ''),
    'public_key': _Key(str, ''),
    'approved': _Key(list, []),
    'scopes': _Key(list, ['id', 'api', 'refresh_token']),
}
_OBJECT = {'label': _Key(str), 'name_field': _Key(bool, True), 'fields': _Key(dict, {})}
_WORDS = {str: 'a text', bool: 'true or false', int: 'a whole number', list: 'a list', dict: 'a mapping'}


class _Reader:
    """Reads parts of a seed and notes what is wrong; what it returns then is of the right type, no more."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def entry(self, where: str, content: object, keys: Mapping[str, _Key]) -> dict[str, Any]:
        """A mapping with these keys, all of them in the result."""
        result = {name: key.type() if key.required else key.default for name, key in keys.items()}
        if not isinstance(content, Mapping):
            self.problems.append(f'{where or "seed"}: {content!r} is not a mapping')
            return result
        prefix = f'{where}.' if where else ''
        for name, value in content.items():
            key = keys.get(name)
            if key is None:
                self.problems.append(f'{prefix}{name}: no such key')
            elif type(value) is not key.type:
                # Not the value itself: it may be a secret.
                self.problems.append(f'{prefix}{name}: not {_WORDS[key.type]}')
            else:
                result[name] = value
        self.problems += [
            f'{prefix}{name}: missing' for name, key in keys.items() if key.required and name not in content
        ]
        return result

    def entries(self, where: str, content: list[Any], keys: Mapping[str, _Key]) -> list[dict[str, Any]]:
        """A list of such mappings."""
        return [self.entry(f'{where}[{place}]', each, keys) for place, each in enumerate(content)]

    def texts(self, where: str, content: object) -> tuple[str, ...]:
        """A list of texts."""
        if not isinstance(content, list) or not all(isinstance(each, str) for each in content):
            self.problems.append(f'{where}: not a list of texts')
            return ()
        return tuple(content)

    def mappings(self, where: str, content: object) -> tuple[Json, ...]:
        """A list of mappings whose keys are texts, whatever they hold."""
        if not isinstance(content, list) or not all(isinstance(each, Mapping) for each in content):
            self.problems.append(f'{where}: not a list of mappings')
            return ()
        # YAML reads a bare `on` as true.
        keys = [key for each in content for key in each if not isinstance(key, str)]
        self.problems += [f'{where}: the key {key!r} is not a text' for key in keys]
        return tuple(content)

    def object(self, name: str, content: object) -> ObjectSeed:
        """An object with its fields."""
        where = f'objects.{name}'
        parts = self.entry(where, content, _OBJECT)
        fields = []
        for field_name, notation in parts['fields'].items():
            try:
                fields.append(read_field(str(field_name), notation))
            except ValueError as error:
                self.problems.append(f'{where}.{field_name}: {error}')
        return ObjectSeed(
            str(name), parts['label'] or label_of(str(name)), parts['name_field'], tuple(fields)
        )
