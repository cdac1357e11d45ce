"""What import contracts cannot see: `datetime` and `random` have clocks and chance of their own."""

import ast
from pathlib import Path

import pytest

MODULES = sorted((Path(__file__).parents[2] / 'fake_server/org').glob('*.py'))
CLOCKS = {'now', 'today', 'utcnow', 'uuid1', 'uuid4'}


def calls(module):
    """Names of everything that a module calls as an attribute: `datetime.now()` is `now`."""
    tree = ast.parse(module.read_text())
    return {
        each.func.attr
        for each in ast.walk(tree)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
    }


@pytest.mark.parametrize('module', MODULES, ids=[each.stem for each in MODULES])
def test_no_module_reads_a_clock(module):
    assert calls(module) & CLOCKS == set()


@pytest.mark.parametrize('module', MODULES, ids=[each.stem for each in MODULES])
def test_chance_comes_from_outside(module):
    imported = [
        alias.name
        for each in ast.walk(ast.parse(module.read_text()))
        if isinstance(each, ast.ImportFrom) and each.module == 'random'
        for alias in each.names
    ]
    assert set(imported) <= {'Random'}
