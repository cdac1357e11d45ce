"""Positions and dead letters in one file, for the services of one host. Floor 3: the one place that catches
the exceptions of sqlite3.

**The hub stands still during each call**, for SQLite knows no green threads: calls are made tiny (one short
transaction, 0.03 ms), and who waits for the lock of another process waits asleep, in this module and not in
SQLite. Nothing switches green threads inside a transaction, so a kill never leaves one open.

`synchronous=NORMAL` in WAL mode: a process that dies loses nothing; a machine that loses its power may lose
the last writes, but only the last ones: no position survives the dead letter that was written before it,
and an older position means events that are handled again. WAL needs shared memory: no network file system.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import eventlet

from nameko_salesforce.replay.position import Position, position_from_json, position_to_json
from nameko_salesforce.replay.store import (
    CALL_LIMIT,
    DEAD_LETTER_LIMIT,
    WITHOUT_LETTER,
    WITHOUT_POSITION,
    DeadLetter,
    Owner,
    StoreFailed,
    StoreUnreadable,
    channel_name,
    check_count,
    letter_from_json,
    letter_to_json,
    number_after,
    number_of,
)

__all__ = ['SqliteStore']

T = TypeVar('T')

# Seconds between two tries to get a lock, with the hub at work; SQLite itself never waits, since the hub
# would stand still meanwhile. Writers hold the lock for 0.03 ms.
PAUSE = 0.02

# SQLITE_ERROR: tables or columns are missing, or there are others of the name.
NOT_OURS = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# Of the tables; `PRAGMA user_version` of the file.
VERSION = 1

TABLES = """
CREATE TABLE positions (
    owner TEXT NOT NULL, channel TEXT NOT NULL, position TEXT NOT NULL, PRIMARY KEY (owner, channel)
) WITHOUT ROWID;
CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, channel TEXT NOT NULL, letter TEXT NOT NULL
);
CREATE INDEX dead_letters_of_owner ON dead_letters (owner, number);
"""


class SqliteStore:
    """Positions and letters of one service, in a file that several may share.

    The file is made at the first call; its folder has to be there.

    Args:
        path: of the file.
        owner: whose positions they are.
        dead_letter_limit: letters that are kept.
        limit: seconds that a call may wait for other processes.
    """

    lasting = True

    def __init__(
        self,
        path: str,
        owner: Owner,
        *,
        dead_letter_limit: int = DEAD_LETTER_LIMIT,
        limit: float = CALL_LIMIT,
    ) -> None:
        self._path = Path(path).absolute()
        self.place = f'sqlite:///{self._path}'
        self._owner = owner.key
        self._letter_limit = dead_letter_limit
        self._limit = limit
        self._connection: sqlite3.Connection | None = None

    def __repr__(self) -> str:
        return f'SqliteStore({self.place})'

    def load(self, channel: str) -> Position | None:
        row = self._call(
            lambda db: db.execute(
                'SELECT position FROM positions WHERE owner = ? AND channel = ?',
                (self._owner, channel_name(channel)),
            ).fetchone()
        )
        if row is None:
            return None
        try:
            return position_from_json(_text(row[0]))
        except ValueError as problem:
            raise StoreUnreadable(
                f'{self.place}, position of {channel}: {problem}; {WITHOUT_POSITION}'
            ) from None

    def save(self, positions: Mapping[str, Position]) -> None:
        rows = [
            (self._owner, channel_name(channel), position_to_json(position))
            for channel, position in positions.items()
        ]
        self._call(
            lambda db: db.executemany(
                'INSERT INTO positions VALUES (?, ?, ?) '
                'ON CONFLICT (owner, channel) DO UPDATE SET position = excluded.position',
                rows,
            ),
            writes=True,
        )

    def add_dead_letter(self, letter: DeadLetter) -> int:
        def add(db: sqlite3.Connection) -> int:
            db.execute(
                'INSERT INTO dead_letters (owner, channel, letter) VALUES (?, ?, ?)',
                (self._owner, channel_name(letter.channel), letter_to_json(letter)),
            )
            return db.execute(
                'DELETE FROM dead_letters WHERE owner = ?1 AND number <= ('
                'SELECT number FROM dead_letters WHERE owner = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)',
                (self._owner, self._letter_limit),
            ).rowcount

        return self._call(add, writes=True)

    def dead_letters(
        self,
        *,
        channel: str | None = None,
        newest_first: bool = False,
        after: str | None = None,
        count: int = 100,
    ) -> list[DeadLetter]:
        check_count(count)
        start = number_after(after)
        compare, order = ('<', 'DESC') if newest_first else ('>', 'ASC')
        rows = self._call(
            lambda db: db.execute(
                'SELECT number, letter FROM dead_letters WHERE owner = ?1 AND (?2 IS NULL OR channel = ?2) '
                f'AND (?3 IS NULL OR number {compare} ?3) ORDER BY number {order} LIMIT ?4',
                (self._owner, None if channel is None else channel_name(channel), start, count),
            ).fetchall()
        )
        return [self._letter(*row) for row in rows]

    def dead_letter(self, number: str) -> DeadLetter | None:
        row = self._call(
            lambda db: db.execute(
                'SELECT number, letter FROM dead_letters WHERE owner = ? AND number = ?',
                (self._owner, number_of(number)),
            ).fetchone()
        )
        return None if row is None else self._letter(*row)

    def remove_dead_letter(self, number: str) -> bool:
        which = (self._owner, number_of(number))
        removed = self._call(
            lambda db: db.execute('DELETE FROM dead_letters WHERE owner = ? AND number = ?', which).rowcount,
            writes=True,
        )
        return removed > 0

    def count_dead_letters(self) -> int:
        row = self._call(
            lambda db: db.execute(
                'SELECT count(*) FROM dead_letters WHERE owner = ?', (self._owner,)
            ).fetchone()
        )
        return int(row[0])

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # --- parts ------------------------------------------------------------------------------------

    def _letter(self, number: int, value: object) -> DeadLetter:
        try:
            return letter_from_json(_text(value), str(number))
        except ValueError as problem:
            raise StoreUnreadable(
                f'{self.place}, dead letter {number}: {problem}; {WITHOUT_LETTER}'
            ) from None

    def _call(self, function: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        """Carry out a call, waiting for the locks of others within the bound."""
        end = time.monotonic() + self._limit
        while True:
            try:
                return self._attempt(function, writes)
            except sqlite3.Error as problem:
                if not _is_busy(problem):
                    # A file that was replaced or mended is another one.
                    self.close()
                    if code_of(problem) in NOT_OURS:
                        raise StoreUnreadable(
                            f'{self.place}: {problem}; it is damaged or none of this library:'
                            ' move it away, or name another file in REPLAY_STORE_URI'
                        ) from None
                    raise StoreFailed(f'{self.place}: {self._words(problem)}') from None
            if time.monotonic() > end:
                raise StoreFailed(f'{self.place}: locked by another process for {self._limit:g} s')
            # The only switch: between two transactions.
            eventlet.sleep(PAUSE)

    def _attempt(self, function: Callable[[sqlite3.Connection], T], writes: bool) -> T:
        if self._connection is None:
            self._connection = self._open()
        db = self._connection
        if not writes:
            return function(db)
        # At once the right to write: a transaction that asks for it later may be refused in its middle.
        db.execute('BEGIN IMMEDIATE')
        try:
            result = function(db)
            db.execute('COMMIT')
        except BaseException:
            if db.in_transaction:
                db.execute('ROLLBACK')
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=0)
        # sqlite3 calls text that is no UTF-8 a failure of the database.
        db.text_factory = bytes
        try:
            db.execute('PRAGMA journal_mode = WAL')
            db.execute('PRAGMA synchronous = NORMAL')
            db.execute('BEGIN IMMEDIATE')
            [version] = db.execute('PRAGMA user_version').fetchone()
            if version == 0:
                for statement in TABLES.split(';\n'):
                    db.execute(statement)
                db.execute(f'PRAGMA user_version = {VERSION}')
            db.execute('COMMIT')
            if version > VERSION:
                raise StoreUnreadable(
                    f'{self.place}: written by a later version of this library ({version}, here {VERSION})'
                )
        except BaseException:
            db.close()
            raise
        return db

    def _words(self, problem: sqlite3.Error) -> str:
        """What went wrong; SQLite does not say which part of a path is missing."""
        folder = self._path.parent
        # Not those of Path, which raise where somebody may not look.
        if not os.path.isdir(folder):
            return f'the folder {folder} is missing or out of reach'
        if os.path.isdir(self._path):
            return 'it is a folder, not a file'
        if code_of(problem) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return f'file or folder cannot be written to ({problem})'
        return str(problem)


def _text(value: object) -> str:
    """What a column holds, whatever its declared type. Raises ValueError: a number."""
    if not isinstance(value, bytes):
        raise ValueError('no text')
    return value.decode('ascii', 'replace')


def code_of(problem: sqlite3.Error) -> int:
    """SQLite's primary result code; of sqlite3's own errors 0."""
    return getattr(problem, 'sqlite_errorcode', 0) & 0xFF


def _is_busy(problem: sqlite3.Error) -> bool:
    return code_of(problem) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
