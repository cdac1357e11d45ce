"""The matrix has a test for every cell, and says what it saw."""

import re
from pathlib import Path

import pytest

from tests.interop.differences import KNOWN_DIFFERENCES
from tests.interop.matrix import MISSING, ROWS, Matrix


@pytest.mark.parametrize('module', ['test_our_client.py', 'test_our_fake.py'])
def test_every_row_has_a_test_on_either_side(module):
    text = (Path(__file__).parent / module).read_text()
    assert sorted(re.findall(r"^@pytest.mark.row\('(.*)'\)", text, re.MULTILINE)) == sorted(ROWS)


def test_there_are_ten_differences_at_most_and_each_cell_without_a_test_is_one():
    assert len(KNOWN_DIFFERENCES) <= 10
    assert set(MISSING.values()) <= {each.name for each in KNOWN_DIFFERENCES}


def test_a_cell_says_whether_all_its_tests_passed():
    matrix = Matrix()
    assert list(matrix.lines()) == []
    matrix.add('publish', 'client', 'faye', True)
    matrix.add('batch', 'client', 'faye', True)
    matrix.add('batch', 'client', 'faye', False)
    lines = {line[:22].strip(): line[22:].strip() for line in matrix.lines()}
    assert (lines['publish'], lines['batch'], lines['held poll']) == ('yes', 'FAILED', 'not run')
    assert lines['acknowledge extension'] == 'has none'
