"""People who work in the fake org, for tests: what they write raises the events. Standard library only.

    ada = fake_salesforce.person('ada@example.com')
    contact = ada.create('Contact', LastName='Hopper')
    ada.update('Contact', contact, Email='grace@example.com')

Decides nothing: each call is one request to REST, with a token of the person's own.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

__all__ = ['Person', 'RestRefused']


class RestRefused(Exception):
    """A call was answered with an error.

    Attributes:
        status: of HTTP.
        problems: the answer: a list of `{'errorCode', 'message', ...}`, as a rule.
    """

    def __init__(self, status: int, problems: Any) -> None:
        super().__init__(status, problems)
        self.status = status
        self.problems = problems


class Person:
    """Somebody with a token of their own, which is renewed when it has ended.

    Args:
        connect: gives a new connection to the server.
        log_in: gives (token, user id).
        api_version: '67.0'.
    """

    def __init__(
        self,
        connect: Callable[[], http.client.HTTPConnection],
        log_in: Callable[[], tuple[str, str]],
        api_version: str = '67.0',
    ) -> None:
        self._connect = connect
        self._log_in = log_in
        self._path = f'/services/data/v{api_version}'
        self._token, self._id = log_in()

    @property
    def id(self) -> str:
        """Of the user, 18 characters."""
        return self._id

    def create(self, sobject: str, **fields: Any) -> str:
        """Create a record, or publish a platform event; returns its id."""
        return str(self.call('POST', f'/sobjects/{sobject}/', fields)['id'])

    def update(self, sobject: str, record_id: str, **fields: Any) -> None:
        """Change fields of a record."""
        self.call('PATCH', f'/sobjects/{sobject}/{record_id}', fields)

    def delete(self, sobject: str, record_id: str) -> None:
        """Delete a record."""
        self.call('DELETE', f'/sobjects/{sobject}/{record_id}')

    def read(self, sobject: str, record_id: str) -> dict[str, Any]:
        """A record with all its fields."""
        return dict(self.call('GET', f'/sobjects/{sobject}/{record_id}'))

    def query(self, soql: str) -> list[dict[str, Any]]:
        """The records that a query finds: the first 2,000 of them."""
        return list(self.call('GET', f'/query/?q={quote(soql)}')['records'])

    def push(self, channel: str, *payloads: str) -> None:
        """Publish generic events to a channel such as '/u/notifications/ExampleUserChannel'.

        Raises:
            LookupError: there is no such channel.
        """
        found = [
            each for each in self.query('SELECT Id, Name FROM StreamingChannel') if each['Name'] == channel
        ]
        if not found:
            raise LookupError(f'no streaming channel {channel}')
        events = [{'payload': each} for each in payloads]
        self.call('POST', f'/sobjects/StreamingChannel/{found[0]["Id"]}/push', {'pushEvents': events})

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Any request below `/services/data/vXX.X`; returns the decoded answer, None if it is empty.

        Raises:
            RestRefused: the answer is an error.
            OSError, http.client.HTTPException: the server is not there or broke off.
        """
        status, answer = self._request(method, path, body)
        if status == 401:
            self._token, self._id = self._log_in()
            status, answer = self._request(method, path, body)
        if status >= 300:
            raise RestRefused(status, answer)
        return answer

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
        connection = self._connect()
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {
                'Authorization': f'Bearer {self._token}',
                'Content-Type': 'application/json',
                'Connection': 'close',
            }
            connection.request(method, f'{self._path}{path}', content, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text) if text else None
        except ValueError:
            return response.status, text.decode(errors='replace')
