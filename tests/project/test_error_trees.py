"""The tree of errors that a module draws in its head is the tree of its classes."""

import re

import pytest

from nameko_salesforce import errors
from nameko_salesforce.bayeux import errors as bayeux_errors


@pytest.mark.parametrize('module', [errors, bayeux_errors], ids=lambda each: each.__name__)
def test_the_drawn_tree_is_the_real_one(module):
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (module.__doc__ or '').splitlines():
        found = re.match(r'^(\s+[|`\- ]*)([A-Z]\w+)(\s{2,}|$)', line)
        if not found:
            continue
        depth, name = len(found[1]), found[2]
        while path and path[-1][0] >= depth:
            path.pop()
        drawn[name] = path[-1][1] if path else 'Exception'
        path.append((depth, name))
    real = {name: getattr(module, name).__bases__[0].__name__ for name in module.__all__}
    assert drawn == real
