"""Record ids: fifteen characters, and three more that survive systems which ignore case. Pure.

An id is a key prefix (3 characters, says the object), the instance (2), a reserved `0`, and a counter to
base 62 (9). The three last characters of the long form hold five bits each: which characters are capitals.
"""

import re
from random import Random

__all__ = ['IdMaker', 'base_62', 'is_id', 'long_id']

_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
_CASES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'
_SHAPE = re.compile('[0-9A-Za-z]{15}([A-Z0-5]{3})?')


def is_id(text: object) -> bool:
    """Whether this is an id, in its short or in its long form with the right suffix."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        return False
    return len(text) == 15 or text[15:] == _suffix(text)


def long_id(text: str) -> str:
    """The form of 18 characters.

    Raises:
        ValueError: this is no id.
    """
    if not is_id(text):
        raise ValueError(f'{text!r} is not an id')
    return text[:15] + _suffix(text)


def _suffix(text: str) -> str:
    """Three characters for three groups of five; the first character of a group is the lowest bit."""
    groups = (text[0:5], text[5:10], text[10:15])
    bits = (sum(1 << place for place, each in enumerate(group) if 'A' <= each <= 'Z') for group in groups)
    return ''.join(_CASES[each] for each in bits)


class IdMaker:
    """Makes ids that never repeat; each object counts for itself, from a start drawn by chance."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._instance = random.choice(_DIGITS[1:]) + random.choice(_DIGITS)
        self._last: dict[str, int] = {}

    def next(self, prefix: str) -> str:
        """The next id (18 characters) with this key prefix (3 characters)."""
        last = self._last.get(prefix)
        # Small enough that the counter does not run over, large enough to show several digits.
        number = self._random.randrange(62**4, 62**5) if last is None else last + 1
        self._last[prefix] = number
        return long_id(f'{prefix}{self._instance}0{base_62(number, 9)}')


def base_62(number: int, width: int) -> str:
    """Digits of a number >= 0, with leading zeros up to `width`."""
    digits = ''
    while number:
        number, last = divmod(number, 62)
        digits = _DIGITS[last] + digits
    return digits.rjust(width, '0')
