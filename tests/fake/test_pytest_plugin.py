"""The plugin that every pytest run of every user loads."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

# Imports what pytest brings along first, then reports what the plugin adds to it.
REPORT = """
import sys, json, pytest
before = set(sys.modules)
import fake_salesforce.pytest_plugin
added = {name.partition('.')[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(added - set(sys.stdlib_module_names))))
"""

TESTS = """
import pytest

def test_one(fake_cometd):
    fake_cometd.publish('/a', 1)
    fake_cometd.configure(timeout=1)
    fake_cometd.faults.add('html')
    assert len(fake_cometd.journal('published')) == 1

def test_two(fake_cometd):
    assert fake_cometd.journal('published') == []
    assert fake_cometd.settings()['timeout'] == 30.0
    assert fake_cometd.faults.list() == []
    fake_cometd.kill()

def test_three(fake_cometd):
    assert fake_cometd.sessions() == []

def test_four(fake_salesforce):
    assert fake_salesforce.url.endswith('/cometd/67.0')
    fake_salesforce.publish('/topic/A', {})
    fake_salesforce.configure(timeout=1)

def test_five(fake_salesforce):
    assert fake_salesforce.retained('/topic/A') == []
    assert fake_salesforce.settings()['timeout'] == 110.0

def test_six(fake_cometd):
    assert fake_cometd.url.endswith('/cometd')
"""


def test_it_imports_no_third_party_module_but_pytest():
    result = subprocess.run([sys.executable, '-c', REPORT], capture_output=True, text=True, timeout=60)
    assert json.loads(result.stdout) == ['fake_salesforce']


def test_it_is_registered():
    names = {entry.value for entry in entry_points(group='pytest11')}
    assert 'fake_salesforce.pytest_plugin' in names


def test_every_test_gets_a_fresh_server_even_after_a_crash(tmp_path):
    (tmp_path / 'test_users.py').write_text(TESTS)
    options = ['-q', '-W', 'error', '-p', 'no:cacheprovider', '--suppress-nameko-eventlet-notification']
    command = [sys.executable, '-m', 'pytest', *options, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert '6 passed' in result.stdout, result.stdout + result.stderr
