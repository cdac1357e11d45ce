"""The store of a URI, and everything that is wrong with a URI before it is opened."""

import subprocess
import sys

import pytest

from nameko_salesforce.replay.memory_store import MemoryStore
from nameko_salesforce.replay.redis_store import RedisStore
from nameko_salesforce.replay.sqlite_store import SqliteStore
from nameko_salesforce.replay.stores import check_uri, open_store
from tests.replay.test_store import ORG


@pytest.mark.parametrize(
    ('uri', 'kind', 'place'),
    [
        ('memory://', MemoryStore, 'memory'),
        ('sqlite:////tmp/positions.db', SqliteStore, 'sqlite:////tmp/positions.db'),
        ('redis://:hidden@redis.example:7000/2', RedisStore, 'redis://redis.example:7000/2'),
        ('rediss://user:hidden@localhost', RedisStore, 'redis://localhost:6379/0'),
        ('unix://:hidden@/run/redis.sock?db=2', RedisStore, 'unix:///run/redis.sock, database 2'),
    ],
)
def test_a_uri_gives_its_store_without_asking_it_anything(uri, kind, place):
    store = open_store(check_uri(uri), organization=ORG, service='contacts')
    assert isinstance(store, kind)
    assert store.place == place
    assert 'hidden' not in repr(store)
    store.close()


@pytest.mark.parametrize(
    'uri', ['hidden', 'redis://localhost/hidden', 'redis://localhost?hidden=1', 'redis://localhost?db=hidden']
)
def test_a_uri_of_no_use_is_refused_without_showing_it(uri):
    for use in (check_uri, lambda uri: open_store(uri, organization=ORG, service='contacts')):
        with pytest.raises(ValueError, match='^a URI') as caught:
            use(uri)
        assert 'hidden' not in str(caught.value)


def test_an_org_and_a_service_are_needed():
    for organization, service in (('', 'contacts'), (ORG, '')):
        with pytest.raises(ValueError):
            open_store('memory://', organization=organization, service=service)


def test_a_service_with_a_file_does_not_load_redis():
    program = (
        'import sys; from nameko_salesforce.replay.stores import open_store; '
        f'open_store("sqlite:///x.db", organization={ORG!r}, service="contacts"); '
        'print([name for name in ("redis", "nameko") if name in sys.modules])'
    )
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', program], capture_output=True, text=True, check=True
    )
    assert done.stdout == '[]\n'
