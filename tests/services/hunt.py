"""Secrets of a test, every form in which they could be seen, and the search for them in texts and objects."""

import base64
import html
import json
import re
import secrets
from collections import deque
from collections.abc import Iterator
from functools import partial
from traceback import TracebackException
from types import FunctionType, MappingProxyType, MethodType
from typing import Any
from urllib.parse import quote, quote_plus

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

__all__ = ['Hunt', 'shown_by']

# In each secret, so that every way to write a text changes it.
SIGNS = '&<"+/%@: \''

# Of a signed statement: the beginning of its header, '{"alg"', in base64.
STATEMENT = 'eyJhbGciOi'

# What hangs on a class is of its module, not of a service.
LEAVES = (str, bytes, bytearray, int, float, complex, bool, type(None), type)

CONTAINERS = (dict, list, tuple, set, frozenset, deque)


class Hunt:
    """Makes secrets and looks for them. Shows none itself."""

    def __init__(self) -> None:
        self._forms: dict[str, str] = {STATEMENT: 'a signed statement'}

    def make(self, name: str, *, signs: str = SIGNS) -> str:
        """A random text, to be found as `name`."""
        secret = f'{secrets.token_hex(8)}{signs}{secrets.token_hex(8)}'
        self.add(name, secret)
        return secret

    def make_key(self, name: str) -> tuple[str, str]:
        """A private key, of which each line is a secret, and its public key; both in PEM."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for line in private.splitlines()[2:-2]:  # the first one is that of every key
            self._forms[line] = name
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return private, public.decode()

    def add(self, name: str, secret: str) -> None:
        """Look for this secret, too."""
        for form in forms_of(secret):
            self._forms[form] = name

    def found_in(self, text: str) -> list[str]:
        """The names of the secrets that the text shows."""
        return sorted({name for form, name in self._forms.items() if form in text})

    def places(self, *roots: Any) -> tuple[dict[str, set[str]], list[str]]:
        """Look at all objects that hang on these.

        Returns:
            Where secrets are kept, 'Class.attribute' -> their names; and the objects that show one in their
            `repr` or `str`, with it.
        """
        kept: dict[str, set[str]] = {}
        shown: list[str] = []
        for place, value in walk(*roots):
            if isinstance(value, str | bytes | bytearray):
                text = value if isinstance(value, str) else bytes(value).decode('latin-1')
                if names := self.found_in(text):
                    kept.setdefault(place, set()).update(names)
            # What containers show are their parts, which come by themselves.
            elif not isinstance(value, CONTAINERS) and (names := self.found_in(said_by(value))):
                shown.append(f'{place}, a {type(value).__name__}: {names}')
        return kept, shown

    def __repr__(self) -> str:
        return 'Hunt()'


def forms_of(secret: str) -> Iterator[str]:
    """How a text may stand in a log, a URL, a header, a document or a traceback."""
    yield secret
    yield from (quote(secret), quote(secret, safe=''), quote_plus(secret))
    yield from (html.escape(secret), html.escape(secret, quote=False))
    yield from (repr(secret)[1:-1], json.dumps(secret)[1:-1])
    # Within a longer text, as `user:password`: at each of the three places that it may have in a group.
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(b'x' * before + secret.encode()).decode()
            yield form[4 if before else 0 : -4]


def walk(*roots: Any) -> Iterator[tuple[str, Any]]:
    """All that hangs on the roots: (where it is, 'Class.attribute'; the object), each object once."""
    seen: dict[int, Any] = {}  # holds them: an id is good as long as its object lives
    todo = deque(('root', root) for root in roots)
    while todo:
        place, value = todo.popleft()
        if isinstance(value, str | bytes | bytearray):
            yield place, value
            continue
        if isinstance(value, LEAVES) or id(value) in seen:
            continue
        seen[id(value)] = value
        yield place, value
        todo.extend((where or place, part) for where, part in parts_of(value))


def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """What hangs on an object, and where; '' for the place of the object itself."""
    match value:
        case dict() | MappingProxyType():
            yield from (('', part) for pair in list(value.items()) for part in pair)
        case list() | tuple() | set() | frozenset() | deque():
            yield from (('', part) for part in list(value))
        case partial():
            yield from (('', part) for part in (value.func, value.args, value.keywords))
        case MethodType():
            yield '', value.__self__
        case FunctionType():
            for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
                try:
                    yield f'{value.__qualname__}.{name}', cell.cell_contents
                except ValueError:  # not filled yet
                    continue
        case BaseException():
            yield from (('', part) for part in (*value.args, value.__cause__, value.__context__))
    kind = type(value)
    slots = [name for each in kind.__mro__ for name in names_in(vars(each).get('__slots__', ()))]
    attributes = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    attributes |= getattr(value, '__dict__', {})
    for name, part in list(attributes.items()):
        yield f'{kind.__name__}.{name}', part


def names_in(slots: Any) -> tuple[str, ...]:
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if not re.fullmatch('__.*__', name))


def said_by(value: Any) -> str:
    """What `repr` and `str` say, if they say anything."""
    said = []
    for show in (repr, str):
        try:
            said.append(show(value))
        except Exception:
            continue
    return ' '.join(said)


def shown_by(error: BaseException, *, with_locals: bool = False) -> str:
    """Everything that a log or a reporter of errors may show of an exception, and of those behind it."""
    chain: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is not None and each not in chain:
            chain.append(each)
            # Also where `from None` hides it: some reporters do not mind.
            todo += [each.__cause__, each.__context__]
    return '\n'.join(
        f'{said_by(each)} {each.args!r}\n'
        + ''.join(TracebackException.from_exception(each, capture_locals=with_locals).format())
        for each in chain
    )
