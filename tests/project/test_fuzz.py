"""The runner of `make fuzz` ends what hangs, and says what it was. The run itself takes minutes."""

import pytest

from tests.fuzz.__main__ import FOLDER, round_of

DRAWN = """
from hypothesis import given, strategies as st

@given(st.just('the culprit'))
def test_it(drawn):
    {body}
"""
HANG = 'while True: pass'
STUBBORN = """while True:
        try:
            while True: pass
        except Exception:
            pass"""


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Writes a folder with one test; an example has a second."""
    monkeypatch.setenv('FUZZ_EXAMPLE_LIMIT', '1')
    (tmp_path / 'conftest.py').write_text((FOLDER / 'conftest.py').read_text())

    def write(body):
        (tmp_path / 'test_planted.py').write_text(DRAWN.format(body=body))
        return tmp_path

    return write


def test_a_round_without_a_find_names_its_tests(plant, capfd):
    assert round_of(1, 3, plant('pass')) == ''
    assert 'test_planted.py::test_it' in capfd.readouterr().out


@pytest.mark.parametrize('body', [HANG, STUBBORN], ids=['hangs', 'catches all exceptions'])
def test_an_example_that_hangs_is_ended_and_shown(plant, capfd, body):
    assert round_of(1, 3, plant(body), limit=60) == 'a test failed or hung'
    assert "test_it did not end within 1 s with {'drawn': 'the culprit'}" in capfd.readouterr().out


def test_a_failing_example_is_shown(plant, capfd):
    assert round_of(1, 3, plant('assert not drawn')) == 'a test failed or hung'
    assert "drawn='the culprit'" in capfd.readouterr().out


def test_a_round_that_no_limit_within_ends_is_ended(plant, monkeypatch):
    monkeypatch.setenv('FUZZ_EXAMPLE_LIMIT', '1000')
    assert round_of(1, 3, plant(HANG), limit=5) == 'the round did not end within 5 s'
