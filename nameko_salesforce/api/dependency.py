"""Nameko dependency: REST of Salesforce in a service. Floor 4.

    from nameko.rpc import rpc
    from nameko_salesforce.api import SalesforceAPI

    class Service:
        name = 'contacts'

        salesforce = SalesforceAPI()

        @rpc
        def create_contact(self, last_name, email):
            return self.salesforce.Contact.create({'LastName': last_name, 'Email': email})

Decides only how long things live. The session with its connections and the token live as long as the
service and are shared by all workers; the client is made for each worker, so that what one of them changes
on it (`headers`) is its own. Making one opens nothing: Nameko ends a service whose dependency raises
before a worker runs, and a Salesforce that is down must not do that.
"""

import logging
from typing import Any

from nameko.extensions import DependencyProvider

from nameko_salesforce.account import SalesforceAccount
from nameko_salesforce.rest import RestClient, rest_session
from nameko_salesforce.rest_session import RestSession

__all__ = ['SalesforceAPI']

log = logging.getLogger(__name__)


class SalesforceAPI(DependencyProvider):  # type: ignore[misc]  # Nameko is untyped
    """Gives each worker a `simple_salesforce.Salesforce` for the account of section SALESFORCE.

    All of simple-salesforce works on it, at any depth: `salesforce.Contact.create({...})`,
    `salesforce.query_all_iter(...)`, `salesforce.bulk.Contact.insert([...])`, `salesforce.bulk2`,
    `salesforce.restful(...)`, `salesforce.mdapi`. See https://simple-salesforce.readthedocs.io.

    - The service logs in at the first request, once for all workers and for streaming.
    - A token that has expired is renewed once and the request sent once more, a create as well: Salesforce
      refuses the token before it executes anything. If that fails too, simple-salesforce's
      `SalesforceExpiredSession` is raised. Nothing else is ever repeated.
    - POOL_SIZE requests are under way at a time; others wait for REQUEST_TIMEOUT seconds, then
      `NoConnectionFree` is raised. A request takes REQUEST_TIMEOUT seconds at most, or what a call gives as
      `timeout=`. After any other exception of requests nobody knows whether Salesforce has acted on it.
    - Where no login succeeds, `nameko_salesforce.errors.LoginError` is raised.
    """

    account = SalesforceAccount()
    _session: RestSession | None = None

    def setup(self) -> None:
        """Read the configuration; open nothing.

        Raises:
            ConfigurationError: names all that is wrong; the service does not start.
        """
        account = self.account.ready()
        self._session = rest_session(account.tokens, account.settings, account.make_session())

    def get_dependency(self, worker_ctx: Any) -> RestClient:
        """A client of the worker's own. No I/O."""
        assert self._session is not None, 'setup() has not run'
        return RestClient(self._session, version=self.account.settings.api_version)

    def stop(self) -> None:
        """Close the connections; the workers have finished. Never raises."""
        self._close()

    def kill(self) -> None:
        """Close the connections. Never raises."""
        self._close()

    def _close(self) -> None:
        # It stays usable: Nameko may run a worker after `stop`, and one without a client ends the service.
        if self._session is not None:
            try:
                self._session.close()
            except Exception:
                log.exception('the REST session of %s was not closed in order', self.container.service_name)
