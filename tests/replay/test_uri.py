"""Which store a URI means, and that no problem of it shows its credentials."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameko_salesforce.replay.uri import StoreKind, StoreUri, read_uri


@pytest.mark.parametrize(
    ('uri', 'kind', 'path'),
    [
        ('memory://', StoreKind.MEMORY, ''),
        ('sqlite:///positions.db', StoreKind.SQLITE, 'positions.db'),
        ('sqlite:///data/positions.db', StoreKind.SQLITE, 'data/positions.db'),
        ('sqlite:////var/lib/positions.db', StoreKind.SQLITE, '/var/lib/positions.db'),
        ('sqlite:///with space %20.db', StoreKind.SQLITE, 'with space %20.db'),
        ('redis://localhost', StoreKind.REDIS, ''),
        ('redis://:hidden@localhost:6379/1', StoreKind.REDIS, ''),
        ('redis://user:hidden@[::1]:6379/', StoreKind.REDIS, ''),
        ('rediss://localhost:6380/0?ssl_cert_reqs=none', StoreKind.REDIS, ''),
        ('unix:///run/redis.sock?db=3', StoreKind.REDIS, ''),
        ('unix://user:hidden@/run/redis.sock', StoreKind.REDIS, ''),
    ],
)
def test_a_uri_says_which_kind_of_store(uri, kind, path):
    assert read_uri(uri) == StoreUri(kind, path)


@pytest.mark.parametrize(
    ('uri', 'said'),
    [
        ('', 'a URI such as'),
        ('hidden', 'a URI such as'),
        ('localhost:6379', 'a URI such as'),
        ('http://:hidden@localhost', 'a URI such as'),
        ('REDIS://localhost', 'a URI such as'),
        ('memory://x', 'nothing else'),
        ('sqlite://', 'four slashes'),
        ('sqlite:///', 'four slashes'),
        ('sqlite:///folder/', 'four slashes'),
        ('sqlite://host/file', 'four slashes'),
        ('sqlite:///:memory:', 'memory://'),
        ('sqlite:///file?mode=ro', 'without options'),
        ('sqlite:///hidden\0.db', 'no NUL'),
        ('sqlite:///hidden\ud800.db', 'no lone surrogates'),
        ('redis://', 'host and port'),
        ('redis://:hidden@', 'host and port'),
        ('redis://localhost:port', 'host and port'),
        ('redis://localhost:99999', 'host and port'),
        ('redis://[::1', 'host and port'),
        ('unix://', 'host and port'),
        ('redis://localhost/staging', 'number of a database'),
        ('redis://localhost/1/2', 'number of a database'),
        # Of passwords that are not quoted something would be taken for a host, a port, a path or an option.
        ('redis://:1@hidden?x@localhost', '%3F for [?]'),
        ('redis://hidden:1?x@localhost/0', '%3F for [?]'),
        ('redis://:1@hidden#x@localhost', '%23 for #'),
        ('redis://hidden:1#x=@localhost', '%23 for #'),
        ('unix://:x/hidden@/run/redis.sock', '%2F for /'),
        ('unix://hidden:1/x@/run/redis.sock?db=0', '%2F for /'),
        ('redis://hidden:1/x@localhost/0', '%2F for /'),
    ],
)
def test_a_uri_of_no_use_is_refused_with_what_it_has_to_be(uri, said):
    with pytest.raises(ValueError, match=said) as caught:
        read_uri(uri)
    assert 'hidden' not in str(caught.value)


@given(st.sampled_from(['redis://', 'rediss://', 'unix://', 'sqlite:///', 'memory://', '']), st.text())
def test_every_text_is_understood_or_refused(scheme, rest):
    with suppress(ValueError):
        assert read_uri(scheme + rest).kind in StoreKind
