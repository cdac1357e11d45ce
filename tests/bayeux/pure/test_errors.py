"""The tree in the module's head is the tree of its classes."""

import re

from nameko_salesforce.bayeux import errors


def test_the_drawn_tree_is_the_real_one():
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or '').splitlines():
        found = re.match(r'^(\s+[|`\- ]*)([A-Z]\w+)(\s{2,}|$)', line)
        if not found:
            continue
        depth, name = len(found[1]), found[2]
        while path and path[-1][0] >= depth:
            path.pop()
        drawn[name] = path[-1][1] if path else 'Exception'
        path.append((depth, name))
    real = {name: getattr(errors, name).__bases__[0].__name__ for name in errors.__all__}
    assert drawn == real


def test_a_refusal_names_channel_and_reason():
    refused = errors.SubscriptionRefused('/a', '403:x:no')
    assert (refused.channel, refused.reason, str(refused)) == ('/a', '403:x:no', '/a: 403:x:no')
