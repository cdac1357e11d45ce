"""Every module has a test module of its name, or stands here with the reason why not."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent


def modules(root):
    """Modules of a package and its subpackages: `client`, `bayeux/client`."""
    return {
        str(path.relative_to(root).with_suffix('')) for path in root.rglob('*.py') if path.stem != '__init__'
    }


LIBRARY = modules(ROOT / 'nameko_salesforce')
FAKE = modules(TESTS / 'fake_server')

LIBRARY_EXCEPTIONS = {
    'streaming/connection': 'needs a container: test_salesforce_streaming.py, test_salesforce_recovery.py',
    'streaming/reporting': 'needs a container: integration/test_streaming_status.py',
    'streaming/contradictions': 'needs a service: integration/test_salesforce_streaming.py',
    'streaming/effects': 'values without behaviour; what they say is in every test of the work',
    'bayeux/effects': 'values without behaviour; what they say is in every test of the session',
    'bayeux/connection': 'needs a container: integration/test_events.py, test_ends.py, test_recovery.py',
    'bayeux/extension': 'needs a container: integration/test_events.py, test_ends.py, test_recovery.py',
}
FAKE_EXCEPTIONS = {
    'manner': 'a protocol without behaviour; vanilla and salesforce have it',
    'vanilla': 'what test_broker.py, test_connects.py and test_commands.py are about',
}

# '__main__' is tested by test_main.py.
NAMES = {'__main__': 'main'}


def names_of_tests(*folders):
    """Names of the test modules in the folders, without `test_`."""
    return {
        path.stem.removeprefix('test_') for folder in folders for path in (TESTS / folder).glob('test_*.py')
    }


# Where the tests of a package's modules are.
FOLDERS = {
    '': ('salesforce',),
    'replay': ('replay',),
    'bayeux': ('bayeux/pure', 'bayeux/sockets', 'bayeux/client', 'integration'),
    'streaming': ('streaming', 'integration'),
    'api': ('api', 'integration'),
}
FAKE_FOLDERS = {'': ('fake', 'fake/rest'), 'org': ('fake/org',)}


def has_tests(module, folders):
    package, _, name = module.rpartition('/')
    name = NAMES.get(name, name)
    tests = names_of_tests(*folders[package])
    return any(each == name or each.startswith(f'{name}_') for each in tests)


@pytest.mark.parametrize('module', sorted(LIBRARY - set(LIBRARY_EXCEPTIONS)))
def test_every_module_of_the_library_has_tests_of_its_name(module):
    assert has_tests(module, FOLDERS)


@pytest.mark.parametrize('module', sorted(FAKE - set(FAKE_EXCEPTIONS)))
def test_every_module_of_the_fake_has_tests_of_its_name(module):
    assert has_tests(module, FAKE_FOLDERS)


def test_exceptions_are_still_needed_and_give_a_reason():
    for exceptions, known, folders in (
        (LIBRARY_EXCEPTIONS, LIBRARY, FOLDERS),
        (FAKE_EXCEPTIONS, FAKE, FAKE_FOLDERS),
    ):
        assert set(exceptions) <= known
        assert all(exceptions.values())
        assert [module for module in exceptions if has_tests(module, folders)] == []


def test_files_that_a_reason_names_exist():
    named = [
        word.strip(',:') for reason in LIBRARY_EXCEPTIONS.values() for word in reason.split() if '.py' in word
    ]
    assert named
    assert [name for name in named if not list(TESTS.rglob(Path(name).name))] == []
