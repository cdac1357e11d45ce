"""`make test-oldest` tests the versions that setup.py promises."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_oldest_constraints_are_the_lower_bounds_of_setup_py():
    bounds = dict(re.findall(r"'([A-Za-z-]+)(?:\[crypto\])?>=([\d.]+)", (ROOT / 'setup.py').read_text()))
    pinned = dict(
        re.findall(r'^([\w.-]+)==(.+)$', (ROOT / 'constraints-oldest.txt').read_text(), re.MULTILINE)
    )
    assert set(bounds) == {
        'eventlet', 'nameko', 'msgspec', 'aiohttp', 'PyJWT', 'redis', 'requests', 'simple-salesforce', 'lark',
        'PyYAML',
    }  # fmt: skip
    for name, bound in bounds.items():
        assert re.fullmatch(re.escape(bound) + r'(\.0)*', pinned[name]), f'{name}: {bound} or {pinned[name]}?'
