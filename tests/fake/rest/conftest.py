"""What the tests of logins and data share: an org without sockets, plain HTTP, simple-salesforce."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fake_salesforce.org import default_seed
from fake_salesforce.settings import SALESFORCE
from fake_salesforce.tenant import Tenant
from requests.adapters import HTTPAdapter


class TenantWorld:
    """An org with its logins and APIs, and a clock that the test moves."""

    def __init__(self, seed: dict[str, Any] | None = None) -> None:
        self.settings = SALESFORCE
        self.now = 1000.0
        self.events: list[tuple[str, Any]] = []
        self.tenant = Tenant(
            default_seed(),
            random=Random(1),
            epoch=datetime(2026, 11, 25, tzinfo=UTC),
            publish=lambda channel, data, now: self.events.append((channel, data)),
            settings=lambda: self.settings,
            streaming_limits=lambda: {'DurableStreamingApiConcurrentClients': (2000, 1999)},
            now=self.now,
        )
        self.org, self.identity = self.tenant.org, self.tenant.identity

    def configure(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)

    def seed(self, **content: Any) -> None:
        self.org.add(content, now=self.now)

    def user(self, **changes: Any) -> None:
        """Ada, with some changes."""
        ada = {'username': 'ada@example.com', 'password': 'secret', 'security_token': 'token'}
        self.seed(users=[{**ada, 'first_name': 'Ada', 'last_name': 'Lovelace', **changes}])

    def app(self, **changes: Any) -> None:
        """The app of the built-in seed, with some changes."""
        app = {'name': 'demo', 'consumer_key': 'fake-consumer-key', 'consumer_secret': 'fake-consumer-secret'}
        self.seed(apps=[{**app, 'run_as': 'integration@example.com', **changes}])

    def token(self) -> str:
        """An access token of ada@example.com."""
        return self.identity.log_in_soap('ada@example.com', 'secrettoken', self.now).access_token


@pytest.fixture
def tenant_world() -> TenantWorld:
    return TenantWorld()


@pytest.fixture(scope='session')
def private_key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope='session')
def public_pem(private_key: Any) -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(private_key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode())


class Fetcher:
    """Plain HTTP requests to a fake org."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.token: str | None = None

    def __call__(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Status, body (decoded if it is JSON) and headers; a body that is no bytes is sent as JSON."""
        address = urlsplit(self.base_url)
        connection = http.client.HTTPConnection(address.hostname or '', address.port, timeout=20)
        all_headers = {name.replace('_', '-'): value for name, value in headers.items()}
        if self.token is not None:
            all_headers.setdefault('Authorization', f'Bearer {self.token}')
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            all_headers.setdefault('Content-Type', 'application/json')
        try:
            connection.request(method, path, body, all_headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = 'json' in response.headers.get('Content-Type', '') and method != 'HEAD'
        return response.status, json.loads(content) if is_json else content.decode(), response.headers

    def token_request(self, **form: str) -> tuple[int, Any]:
        """A request to the OAuth token endpoint."""
        kind = {'Content_Type': 'application/x-www-form-urlencoded'}
        status, body, _ = self('POST', '/services/oauth2/token', urlencode(form).encode(), **kind)
        return status, body

    def log_in(self) -> 'Fetcher':
        """Client credentials of the built-in seed."""
        app = {'client_id': 'fake-consumer-key', 'client_secret': 'fake-consumer-secret'}
        status, body = self.token_request(grant_type='client_credentials', **app)
        assert status == 200, body
        self.token = body['access_token']
        return self


@pytest.fixture
def fetch(fake_salesforce: Any) -> Fetcher:
    """Plain HTTP requests to the fake org of this test."""
    return Fetcher(fake_salesforce.base_url)


class ToFake(HTTPAdapter):
    """Leads what is meant for https://...salesforce.com to a fake on plain HTTP."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.address = urlsplit(base_url)

    def send(self, request: Any, **how: Any) -> Any:
        meant = urlsplit(request.url)
        request.url = urlunsplit(meant._replace(scheme=self.address.scheme, netloc=self.address.netloc))
        request.headers['X-Forwarded-Host'] = meant.netloc
        return super().send(request, **how)


@pytest.fixture
def to_fake(fake_salesforce: Any) -> Iterator[requests.Session]:
    """The session to give to simple-salesforce."""
    with requests.Session() as session:
        session.mount('https://', ToFake(fake_salesforce.base_url))
        yield session
