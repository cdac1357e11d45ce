"""What the documents for maintainers name is there."""

import re
from pathlib import Path

import pytest

import nameko_salesforce

ROOT = Path(__file__).parents[2]
TARGETS = set(re.findall(r'^([a-z0-9-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
PAGES = ['docs/architecture.md', 'docs/performance-figures.md', 'docs/performance.md', 'docs/session.md']
DOCUMENTS = ['CONTRIBUTING.md', 'CHANGELOG.md', *PAGES]


def quoted(document):
    """Everything between backticks."""
    text = re.sub(r'^```.*?^```', '', (ROOT / document).read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r'`([^`\n]+)`', text)


@pytest.mark.parametrize('document', DOCUMENTS)
def test_make_targets_exist(document):
    commands = [text.split()[1:] for text in quoted(document) if text.startswith('make ')]
    assert {target for targets in commands for target in targets} - TARGETS == set()


@pytest.mark.parametrize('document', DOCUMENTS)
def test_files_exist(document):
    names = {text for text in quoted(document) if re.fullmatch(r'[\w./-]+\.(py|md|toml|txt)|[\w./-]+/', text)}
    places = (
        '',
        'nameko_salesforce',
        'nameko_salesforce/bayeux',
        'nameko_salesforce/replay',
        'nameko_salesforce/streaming',
        'tests/fake_server',
    )
    # What `make build` makes is not there before.
    missing = {name for name in names if not any((ROOT / place / name).exists() for place in places)}
    assert missing - {'dist/'} == set()


def test_every_target_is_explained_and_phony():
    lines = (ROOT / 'Makefile').read_text()
    explained = set(re.findall(r'^([a-z0-9-]+):.*## \S', lines, re.MULTILINE))
    phony = set(re.search(r'^\.PHONY: (help .*)$', lines, re.MULTILINE)[1].split())
    assert phony == explained == TARGETS - {'python-packages', 'rabbitmq', 'redis', 'git', 'shell-tools'}


def test_the_changelog_speaks_of_the_version_in_the_making():
    headings = re.findall(r'^## (.+)$', (ROOT / 'CHANGELOG.md').read_text(), re.MULTILINE)
    wanted = nameko_salesforce.__version__.partition('.dev')[0]
    assert headings[0] == f'Unreleased ({wanted})' or headings[0].startswith(f'{wanted} ')
