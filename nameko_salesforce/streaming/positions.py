"""The store of a service and its two writers: positions, and dead letters. Floor 4: an edge.

Opened by the first login, which says whose positions they are. A store that is down delays what is written
and nothing else; only a channel whose position is not known yet waits for it, because everything else would
be a guess.
"""

import logging
from collections.abc import Callable
from typing import Any

from nameko_salesforce.replay.committer import Committer
from nameko_salesforce.replay.position import Position
from nameko_salesforce.replay.store import Store, StoreFailed

__all__ = ['Positions']

log = logging.getLogger('nameko_salesforce.replay')

# Seconds that the positions of another organization may take to be saved, beside everything else.
OLD_LIMIT = 5.0


class Positions:
    """Where the channels of a service are kept.

    Args:
        open_store: makes the store of an organization; does no I/O.
        spawn: starts a green thread.

    Attributes:
        store, committer: None before the first login.
    """

    def __init__(
        self, open_store: Callable[[str], Store], spawn: Callable[[Callable[[], None]], Any]
    ) -> None:
        self.store: Store | None = None
        self.committer: Committer | None = None
        self._open_store = open_store
        self._spawn = spawn
        self._organization = ''
        self._ended = False

    def open(self, organization: str) -> bool:
        """Have the store of an organization.

        Returns:
            Whether it was another one before, whose positions mean nothing here.
        """
        if organization == self._organization:
            return False
        old_store, old_committer = self.store, self.committer
        if old_committer is not None:
            # While the channels still know where they were.
            old_committer.settle()
        self.store = self._open_store(organization)
        before, self._organization = self._organization, organization
        self.committer = Committer(self.store, spawn=self._spawn)
        if not self._ended:
            self.committer.start()
        if old_store is None or old_committer is None:
            return False
        log.warning(
            'the login is of organization %s now, and was of %s before: its positions begin anew',
            organization,
            before,
        )
        self._spawn(lambda: _end(old_store, old_committer))
        return True

    def load(self, channel: str) -> Position | None:
        """What the store holds for a channel; takes a few seconds at most.

        Raises:
            StoreFailed: see there; or another organization was opened meanwhile, for which it says nothing.
        """
        store, committer = self.store, self.committer
        assert store is not None
        assert committer is not None
        position = store.load(channel)
        if store is not self.store:
            raise StoreFailed('the organization has changed meanwhile')
        if position is not None:
            committer.adopt(channel, position)
        return position

    def commit(self, channel: str, position: Position) -> None:
        """Have a position saved in the background."""
        if self.committer is not None:
            self.committer.commit(channel, position)

    def moved(self, channel: str, position: Callable[[], Position | None]) -> None:
        """Have a position saved that is asked for when it can be: see `Committer.moved`."""
        if self.committer is not None:
            self.committer.moved(channel, position)

    def seen(self, channel: str, until: float) -> None:
        """All events of a channel are handled until then: seconds since 1970."""
        if self.committer is not None:
            self.committer.seen([channel], until)

    def stop(self, timeout: float) -> None:
        """Save what is left, then end. Any number of times.

        Args:
            timeout: seconds.
        """
        self._ended = True
        if self.committer is not None:
            self.committer.stop(timeout)
        self._close()

    def kill(self) -> None:
        """End at once."""
        self._ended = True
        if self.committer is not None:
            self.committer.kill()
        self._close()

    def _close(self) -> None:
        if self.store is not None:
            self.store.close()


def _end(store: Store, committer: Committer) -> None:
    """Save what is left for an organization that is not in use any more."""
    try:
        committer.stop(OLD_LIMIT)
    finally:
        store.close()
