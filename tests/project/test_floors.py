"""The import contracts of pyproject.toml agree with each other; `make static` holds them against the code."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['importlinter']['contracts']

# Where one floor of the Bayeux client ends and the next begins: the topmost modules of F2, F1 and F0.
TOPS = ('client', 'session', 'decoder')


def contract(id_):
    return next(each for each in CONTRACTS if each.get('id') == id_)


def floors():
    """Modules of F3, F2, F1 and F0, each a set."""
    found = [set()]
    for layer in contract('floors')['layers']:
        names = layer.split(' | ')
        if names[0] in TOPS:
            found.append(set())
        found[-1].update(names)
    return found


def modules(id_):
    return {name.removeprefix('nameko_salesforce.bayeux.') for name in contract(id_)['source_modules']}


def test_every_module_of_the_client_stands_on_exactly_one_floor():
    names = [name for layer in contract('floors')['layers'] for name in layer.split(' | ')]
    files = {path.stem for path in (ROOT / 'nameko_salesforce/bayeux').glob('*.py')} - {'__init__'}
    assert sorted(names) == sorted(files)


def test_the_contract_against_io_names_all_of_the_two_lower_floors():
    _, _, session, values = floors()
    assert modules('pure') == session | values


def test_the_contract_against_frameworks_names_all_of_the_driver_s_floor():
    _, driver, _, _ = floors()
    assert modules('no-framework') == driver


def test_new_modules_have_to_be_placed():
    assert all(each['exhaustive'] is True for each in CONTRACTS if each['type'] == 'layers')
