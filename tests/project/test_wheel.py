"""What leaves this tree: the exact contents of wheel and sdist, and that a clean installation works."""

import email
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = '2.0.0.dev0'
STEM = f'nameko_salesforce-{VERSION}'

# Modules are compared with the tree, where each has its place by contract (`make static`), and everything
# else by name: one stray file more or less is a mistake.
PACKAGES = {
    'nameko_salesforce': ROOT / 'nameko_salesforce',
    'nameko_salesforce/api': ROOT / 'nameko_salesforce/api',
    'nameko_salesforce/bayeux': ROOT / 'nameko_salesforce/bayeux',
    'nameko_salesforce/replay': ROOT / 'nameko_salesforce/replay',
    'nameko_salesforce/streaming': ROOT / 'nameko_salesforce/streaming',
    'fake_salesforce': ROOT / 'tests/fake_server',
    'fake_salesforce/org': ROOT / 'tests/fake_server/org',
}
MODULES = {f'{name}/{path.name}' for name, folder in PACKAGES.items() for path in folder.glob('*.py')}
MARKERS = {'nameko_salesforce/py.typed', 'fake_salesforce/py.typed'}
DATA = {'fake_salesforce/org/default.yaml'}
WHEEL_INFO = {'METADATA', 'RECORD', 'WHEEL', 'entry_points.txt', 'licenses/LICENSE', 'top_level.txt'}
SDIST_INFO = {
    'PKG-INFO',
    'SOURCES.txt',
    'dependency_links.txt',
    'entry_points.txt',
    'requires.txt',
    'top_level.txt',
}
SDIST_TOP = {
    'CHANGELOG.md',
    'LICENSE',
    'MANIFEST.in',
    'PKG-INFO',
    'README.md',
    'pyproject.toml',
    'setup.cfg',  # written by setuptools
    'setup.py',
}


def run(*command, cwd):
    done = subprocess.run([str(each) for each in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f'{command}\n{done.stdout}\n{done.stderr}'
    return done.stdout


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """The folder with wheel and sdist. The wheel is built from the sdist, which therefore is complete."""
    place = tmp_path_factory.mktemp('built')
    # A copy: what lies in `build/` and the egg-info of an earlier build finds its way into wheels.
    unwanted = shutil.ignore_patterns('.*', '__pycache__', '*.egg-info', 'build', 'dist', 'node_modules')
    shutil.copytree(ROOT, place / 'source', ignore=unwanted)
    # Without isolation: `build` would fetch setuptools from the network. The pinned one builds.
    run(
        sys.executable, '-m', 'build', '--no-isolation', '--outdir', place / 'dist', '.', cwd=place / 'source'
    )
    return place / 'dist'


@pytest.fixture(scope='module')
def wheel(built):
    return built / f'{STEM}-py3-none-any.whl'


@pytest.fixture(scope='module')
def clean(wheel, tmp_path_factory):
    """A new environment that holds the wheel; run its programs in its folder, away from the source tree."""
    place = tmp_path_factory.mktemp('clean')
    venv.create(place, with_pip=False)
    python = place / 'bin/python'
    install = ('install', '-q', '--no-deps', '--no-index', '--disable-pip-version-check', wheel)
    run(sys.executable, '-m', 'pip', '--python', python, *install, cwd=place)
    # The dependencies come from this environment, without a network. Python does not look into .pth files
    # of a folder that a .pth file names, so the editable installation of this tree does not come along.
    site = Path(
        run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))', cwd=place).strip()
    )
    (site / 'dependencies.pth').write_text(sysconfig.get_path('purelib') + '\n')
    return place


def test_exactly_two_files_are_built(built, wheel):
    assert {path.name for path in built.iterdir()} == {wheel.name, f'{STEM}.tar.gz'}


def test_the_wheel_holds_both_packages_their_marks_data_and_the_licence(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith('/')]
    assert set(names) == MODULES | MARKERS | DATA | {f'{STEM}.dist-info/{name}' for name in WHEEL_INFO}
    assert len(set(names)) == len(names)


def test_no_top_level_package_of_the_wheel_is_called_tests(wheel):
    assert {name.partition('/')[0] for name in zipfile.ZipFile(wheel).namelist()} == {
        'nameko_salesforce',
        'fake_salesforce',
        f'{STEM}.dist-info',
    }


def test_the_sdist_holds_what_builds_the_wheel_and_the_changelog(built):
    with tarfile.open(built / f'{STEM}.tar.gz') as archive:
        names = {member.name for member in archive.getmembers() if member.isfile()}
    packages = {
        name.replace('fake_salesforce/', 'tests/fake_server/', 1) for name in MODULES | MARKERS | DATA
    }
    info = {f'nameko_salesforce.egg-info/{name}' for name in SDIST_INFO}
    assert names == {f'{STEM}/{name}' for name in packages | info | SDIST_TOP}


def test_the_metadata_says_version_licence_and_what_is_needed(wheel):
    content = zipfile.ZipFile(wheel).read(f'{STEM}.dist-info/METADATA').decode()
    metadata = email.message_from_string(content)
    assert metadata['Version'] == VERSION
    assert metadata['License'] == 'Apache-2.0'
    assert metadata['Requires-Python'] == '>=3.11'
    needed = metadata.get_all('Requires-Dist')
    names = {each: re.match(r'[\w-]+', each)[0].lower() for each in needed}
    of_fake = {name for each, name in names.items() if 'extra == "fake"' in each}
    assert of_fake == {'aiohttp', 'lark', 'pyyaml'}
    assert set(names.values()) - of_fake == {
        'eventlet', 'msgspec', 'nameko', 'pyjwt', 'redis', 'requests', 'simple-salesforce',
    }  # fmt: skip
    assert metadata['Description-Content-Type'] == 'text/markdown'


def test_versions_of_package_and_module_agree(clean):
    program = (
        'import importlib.metadata as m, nameko_salesforce as n; '
        'print(m.version("nameko-salesforce"), n.__version__, n.__file__)'
    )
    installed, said, file = run(clean / 'bin/python', '-c', program, cwd=clean).split()
    assert (installed, said) == (VERSION, VERSION)
    assert Path(file).is_relative_to(clean)


def test_the_console_script_works(clean):
    assert 'usage: fake-salesforce' in run(clean / 'bin/fake-salesforce', '--help', cwd=clean)


def test_the_client_can_be_imported(clean):
    program = 'from nameko_salesforce.bayeux import *; print(Client.__module__, State.IDLE)'
    done = run(clean / 'bin/python', '-W', 'ignore', '-c', program, cwd=clean)
    assert done.split() == ['nameko_salesforce.bayeux.client', 'State.IDLE']


def test_the_pytest_plugin_serves_a_fake(clean):
    test = (
        'from pathlib import Path\n'
        'import fake_salesforce as package\n\n\n'
        'def test_it(fake_salesforce):\n'
        f'    assert Path(package.__file__).is_relative_to({str(clean)!r})\n'
        '    assert fake_salesforce.url.startswith("http://127.0.0.1:")\n'
        '    assert fake_salesforce.sessions() == []\n'
    )
    (clean / 'test_it.py').write_text(test)
    done = run(clean / 'bin/python', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_it.py', cwd=clean)
    assert '1 passed' in done


def test_type_checkers_see_the_types_of_both_packages(clean):
    for name in ('api.py', 'salesforce_api.py', 'fake_api.py'):
        shutil.copy(ROOT / 'tests/typing' / name, clean / name)
    # The settings of this tree, but not its sources.
    shutil.copy(ROOT / 'pyproject.toml', clean / 'pyproject.toml')
    python = clean / 'bin/python'
    run(
        sys.executable, '-m', 'mypy', '--python-executable', python, '--cache-dir', clean / 'cache',
        'api.py', 'salesforce_api.py', 'fake_api.py', cwd=clean,
    )  # fmt: skip
