"""aiosfstream, as its manual shows it: the loop of aiocometd, with its login and its replay extension.

The login is its password flow, answered by the source; replay markers are kept in a dict. Nothing lasts.
"""

import sys

# This file has the package's name; its folder must not be looked at first.
sys.path = [each for each in sys.path if not each.endswith('/clients')]

import asyncio  # noqa: E402

from benchmarks.clients import without_loop  # noqa: E402

without_loop.mend()

import aiosfstream  # noqa: E402

from benchmarks.clients.aiocometd import consume  # noqa: E402
from benchmarks.clients.meter import task  # noqa: E402


class Authenticator(aiosfstream.PasswordAuthenticator):
    """Logs in at the source."""

    address = ''

    @property
    def _token_url(self):
        return f'{self.address}/services/oauth2/token'


async def main():
    what = task()
    authenticator = Authenticator('key', 'secret', 'ada@example.com', 'password')
    authenticator.address = what['url'].split('/cometd')[0]
    await consume(aiosfstream.Client(authenticator, replay={}), what)


if __name__ == '__main__':
    asyncio.run(main())
