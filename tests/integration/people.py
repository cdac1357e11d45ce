"""People who work in the fake org: they log in with a password and use REST, without our library."""

import json
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

PATIENCE = 10.0  # seconds


class Person:
    """Somebody with a token of their own.

    Args:
        url: of the org.
        username: with the password and the security token of the org that the fake begins with.
    """

    def __init__(self, url: str, username: str) -> None:
        form = {
            'grant_type': 'password',
            'client_id': 'fake-consumer-key',
            'client_secret': 'fake-consumer-secret',
            'username': username,
            'password': 'secret' + 'token',
        }
        with urlopen(f'{url}/services/oauth2/token', urlencode(form).encode(), timeout=PATIENCE) as answer:
            token = json.load(answer)
        self.access_token: str = token['access_token']
        self.id: str = token['id'].rpartition('/')[2]
        self._url = f'{url}/services/data/v67.0'
        self._headers = {
            'Authorization': f'Bearer {token["access_token"]}',
            'Content-Type': 'application/json',
        }

    def create(self, sobject: str, **fields: Any) -> str:
        """Create a record; returns its id."""
        return str(self.call('POST', f'/sobjects/{sobject}/', fields)['id'])

    def update(self, sobject: str, record_id: str, **fields: Any) -> None:
        self.call('PATCH', f'/sobjects/{sobject}/{record_id}', fields)

    def delete(self, sobject: str, record_id: str) -> None:
        self.call('DELETE', f'/sobjects/{sobject}/{record_id}')

    def read(self, sobject: str, record_id: str) -> dict[str, Any]:
        return dict(self.call('GET', f'/sobjects/{sobject}/{record_id}'))

    def query(self, soql: str) -> list[dict[str, Any]]:
        return list(self.call('GET', f'/query/?q={quote(soql)}')['records'])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any request below the version; raises `HTTPError`."""
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, content, self._headers, method=method)
        with urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None
