"""Every module has a test module of its name, or stands here with the reason why not."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent

LIBRARY = {path.stem for path in (ROOT / 'nameko_salesforce/bayeux').glob('*.py')} - {'__init__'}
FAKE = {path.stem for path in (TESTS / 'fake_server').glob('*.py')} - {'__init__'}

LIBRARY_EXCEPTIONS = {
    'effects': 'values without behaviour; what they say is in every test of the session',
    'extension': 'needs a Nameko container: tests/integration/test_events.py, test_ends.py, test_recovery.py',
}
FAKE_EXCEPTIONS = {}

# '__main__' is tested by test_main.py.
NAMES = {'__main__': 'main'}


def names_of_tests(*folders):
    """Names of the test modules in the folders, without `test_`."""
    return {
        path.stem.removeprefix('test_') for folder in folders for path in (TESTS / folder).glob('test_*.py')
    }


IN_LIBRARY = names_of_tests('bayeux/pure', 'bayeux/sockets', 'bayeux/client', 'integration')
IN_FAKE = names_of_tests('fake')


def has_tests(module, tests):
    name = NAMES.get(module, module)
    return any(each == name or each.startswith(f'{name}_') for each in tests)


@pytest.mark.parametrize('module', sorted(LIBRARY - set(LIBRARY_EXCEPTIONS)))
def test_every_module_of_the_client_has_tests_of_its_name(module):
    assert has_tests(module, IN_LIBRARY)


@pytest.mark.parametrize('module', sorted(FAKE - set(FAKE_EXCEPTIONS)))
def test_every_module_of_the_fake_has_tests_of_its_name(module):
    assert has_tests(module, IN_FAKE)


def test_exceptions_are_still_needed_and_give_a_reason():
    for exceptions, modules, tests in (
        (LIBRARY_EXCEPTIONS, LIBRARY, IN_LIBRARY),
        (FAKE_EXCEPTIONS, FAKE, IN_FAKE),
    ):
        assert set(exceptions) <= modules
        assert all(exceptions.values())
        assert [module for module in exceptions if has_tests(module, tests)] == []


def test_files_that_a_reason_names_exist():
    named = [
        word.strip(',:') for reason in LIBRARY_EXCEPTIONS.values() for word in reason.split() if '.py' in word
    ]
    assert named
    assert [name for name in named if not list(TESTS.rglob(Path(name).name))] == []
