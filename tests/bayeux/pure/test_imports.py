"""The pure floors load nothing that does I/O; the package loads nothing until it is asked."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CONTRACTS = tomllib.loads((Path(__file__).parents[3] / 'pyproject.toml').read_text())['tool']['importlinter']
# The import contract reads the source; this looks at what really gets loaded.
PURE = [
    module
    for each in CONTRACTS['contracts']
    if each.get('id') in ('pure', 'pure-account')
    for module in each['source_modules']
]
FORBIDDEN = ('eventlet', 'greenlet', 'nameko', 'requests', 'redis', 'socket', 'ssl', 'http', 'logging')


def loaded_by(statement):
    program = f'import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))'
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    return {name.partition('.')[0] for name in done.stdout.split()}


@pytest.mark.parametrize('module', PURE)
def test_a_pure_module_loads_no_io(module):
    assert loaded_by(f'import {module}').isdisjoint(FORBIDDEN)


def test_the_packages_load_nothing():
    assert loaded_by('import nameko_salesforce, nameko_salesforce.bayeux').isdisjoint(FORBIDDEN)


def test_the_client_loads_eventlet_but_no_framework():
    loaded = loaded_by(
        "import warnings; warnings.simplefilter('ignore'); from nameko_salesforce.bayeux import Client"
    )
    assert 'eventlet' in loaded
    assert 'nameko' not in loaded
