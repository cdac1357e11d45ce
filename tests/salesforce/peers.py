"""What REST clients meet: the fake with an account, and a peer that says exactly what a test wants."""

import json
import random
import time

from nameko_salesforce.config import read_settings
from nameko_salesforce.credentials import Token
from nameko_salesforce.login import log_in
from nameko_salesforce.rest import rest_client
from nameko_salesforce.tokens import Tokens
from nameko_salesforce.web import new_session
from tests.bayeux.sockets.raw_server import RawServer, answer

__all__ = ['EXPIRED', 'GOOD', 'Account', 'Org', 'refused']


class Account:
    """An account of the fake, as `SalesforceAccount` makes it of a configuration."""

    def __init__(self, fake, **section):
        self.settings = read_settings({'SALESFORCE': fake.section(**section)})
        self.tokens = Tokens(lambda: log_in(self.settings), clock=time.monotonic, draw=random.random)
        self._sessions = []

    def client(self):
        """A client with a session of its own."""
        network = new_session(self.settings.transport)
        made = rest_client(self.tokens, self.settings, network)
        self._sessions.append(made.session)
        return made

    def close(self):
        for session in self._sessions:
            session.close()


EXPIRED = [{'message': 'Session expired or invalid', 'errorCode': 'INVALID_SESSION_ID'}]


def refused(body, status='401 Unauthorized', kind='application/json;charset=UTF-8'):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer(status=status, headers=[f'Content-Type: {kind}'], body=content)


GOOD = answer(body=b'{"ok": true}', headers=['Content-Type: application/json'])


class Org:
    """A peer that answers by what it gets, and the tokens that are good for it."""

    def __init__(self):
        self.requests = []
        self.logins = 0
        self.address = None
        self.login = None
        self.answers = []
        self.server = RawServer(self._serve)
        self.tokens = Tokens(self._log_in, clock=time.monotonic, draw=lambda: 0.5)

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server.port}'

    def _serve(self, peer):
        while (request := peer.request()) is not None:
            self.requests.append(request)
            said = self.answers.pop(0) if self.answers else GOOD
            if callable(said):
                said(peer)
            else:
                peer.send(said)

    def _log_in(self):
        if self.login is not None:
            self.login()
        self.logins += 1
        return Token(
            f'token-{self.logins}', self.address or self.url, '00D000000000001AAA', '005000000000001AAA'
        )

    def targets(self):
        return [request.line.split()[1] for request in self.requests]

    def bearers(self):
        return [request.headers.get('Authorization') for request in self.requests]
