"""Record ids of Salesforce. Floor 3: pure."""

import re

__all__ = ['full_id']

_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'
_ID = re.compile(r'[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?')


def full_id(record_id: str) -> str:
    """The form of 18 characters, which tells ids apart whatever becomes of their case.

    Args:
        record_id: 15 or 18 characters. APIs give 18, some logins and URLs of the browser 15.
    Raises:
        ValueError: it is no id.
    Source: each of the last three characters stands for five of the first fifteen, one bit per
        capital letter, the first of the five being the lowest bit.
    """
    if not _ID.fullmatch(record_id):
        raise ValueError('a record id has 15 or 18 letters and digits')
    if len(record_id) == 18:
        return record_id
    groups = (record_id[start : start + 5] for start in (0, 5, 10))
    numbers = (sum(1 << bit for bit, each in enumerate(group) if each.isupper()) for group in groups)
    return record_id + ''.join(_LETTERS[number] for number in numbers)
