"""Positions and dead letters in Redis. Floor 3: the one place that catches redis-py's exceptions.

Keys of the service `contacts` in one org, all of one hash slot:

    salesforce:{00D...:contacts}:positions       hash, channel -> position as JSON; no key expires
    salesforce:{00D...:contacts}:writer          hash, who saved last, and the number of that save
    salesforce:{00D...:contacts}:dead-letters    stream

**Nothing older over newer.** A save that timed out may still lie in the socket of a server that is frozen,
and be carried out after the one that replaced it. So saves go through one script, which drops what its own
store has overtaken. A fencing token, with which a former leader is refused, has its place in the same
script.

**Bounds.** redis-py's timeouts hold for each read and connect, not for name look-ups, retries and slow
trickles: one `eventlet.Timeout` around the call holds for everything. It needs a process that is
monkey-patched, as redis-py does to be green at all. A command that is cut off takes its connection with it,
so that no reply is ever read by another command.

**Repeated or not.** redis-py sends a command again whose reply was lost. That is right for reads and saves;
letters are added and removed without it.

A Redis that evicts keys (`maxmemory-policy allkeys-...`) may lose positions; `noeviction` and
`volatile-...` do not.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import eventlet
from eventlet.semaphore import Semaphore
from redis import Redis
from redis.connection import ConnectionPool
from redis.exceptions import RedisError

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.replay.position import Position, position_from_json, position_to_json
from nameko_salesforce.replay.redis_options import place_of, redis_options
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
)

__all__ = ['OLD_TTL', 'RedisStore']

log = logging.getLogger('nameko_salesforce.replay')

T = TypeVar('T')

# Seconds: what version 1.2 let a position live where PUSHTOPIC_REPLAY_TTL did not say otherwise.
OLD_TTL = 12 * 60 * 60.0

# Letters asked for at a time, while a page is filled.
CHUNK = 100

# Characters of an error: Redis repeats arguments in some, which may be an event.
SHOWN = 200

# Options that no text repeats.
SECRETS = ('password', 'ssl_password', 'username')

SAVE = """
local last = redis.call('HMGET', KEYS[2], 'id', 'number')
if last[1] == ARGV[1] and tonumber(last[2]) > tonumber(ARGV[2]) then
    return 0
end
redis.call('HSET', KEYS[2], 'id', ARGV[1])
redis.call('HSET', KEYS[2], 'number', ARGV[2])
for i = 3, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
return 1
"""


class RedisStore:
    """Positions and letters of one service, in a Redis that many may share.

    Args:
        uri: `redis://`, `rediss://` or `unix://`; options in its query are redis-py's and win over those
            here.
        owner: whose positions they are.
        dead_letter_limit: letters that are kept.
        limit: seconds that a call may take.
        old_ttl: seconds that version 1.2 let a position live, see `load`.
        clock: gives seconds since 1970.
    Raises:
        ValueError: the URI is of no use.
    """

    lasting = True

    def __init__(
        self,
        uri: str,
        owner: Owner,
        *,
        dead_letter_limit: int = DEAD_LETTER_LIMIT,
        limit: float = CALL_LIMIT,
        old_ttl: float = OLD_TTL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        options = redis_options(uri, limit)
        self.place = place_of(options)
        self._secrets = [str(options[name]) for name in SECRETS if options.get(name)]
        self._letter_limit = dead_letter_limit
        self._limit = limit
        self._old_ttl = old_ttl
        self._clock = clock
        prefix = f'salesforce:{{{owner.key}}}:'
        self._positions, self._writer, self._letters = (
            prefix + name for name in ('positions', 'writer', 'dead-letters')
        )
        self._id = uuid.uuid4().hex
        self._saves = 0
        # Saves reach the server in the order of their numbers.
        self._turn = Semaphore(1)
        # redis-py types replies as what they may be with any settings.
        self._redis: Any = Redis(connection_pool=_Pool(**options))
        self._save_script = self._redis.register_script(SAVE)

    def __repr__(self) -> str:
        return f'RedisStore({self.place})'

    def load(self, channel: str) -> Position | None:
        """What is kept for a channel, else what version 1.2 kept under `salesforce:replay_id:<channel>`.

        1.2 took the channel as it was subscribed to, with its filter. Its key is looked for under that name
        first, then under that of the channel without the filter, whose positions mean the same.

        That position is copied, once: from then on there is one here, which wins. The old key is left
        alone, so that 1.2 can be gone back to.

        It says nothing about its age. 1.2 wrote it anew with each event, with `old_ttl` to live, so that
        the time that has gone from that is its age, and the channel was last seen then. Where the rest is
        longer than `old_ttl`, or endless, somebody changed one of the two, and the greatest age that 1.2
        could leave is taken: a position that is too old would be refused by the server, and one that is
        thought too old is told about. Neither is silent. Change PUSHTOPIC_REPLAY_TTL after the first start,
        not with it.

        Two calls, each within the bound, where a position of 1.2 is copied; else one.
        """
        name = channel_name(channel)

        def ask() -> tuple[bytes | None, list[tuple[bytes, float]]]:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hget(self._positions, name)
            for key in _old_keys(channel):
                pipeline.get(key)
                pipeline.pttl(key)
            kept, *found = pipeline.execute(raise_on_error=False)
            if isinstance(kept, Exception):
                raise kept
            # Under an old name there may be anything.
            return kept, [
                (old, rest / 1000)
                for old, rest in zip(found[::2], found[1::2], strict=True)
                if isinstance(old, bytes) and old and isinstance(rest, int)
            ]

        kept, olds = self._call(ask)
        if kept is None and olds:
            kept = self._adopt(channel, *olds[0])
        if kept is None:
            return None
        try:
            return position_from_json(kept.decode('ascii', 'replace'))
        except ValueError as problem:
            raise StoreUnreadable(
                f'{self.place}, position of {channel}: {problem}; {WITHOUT_POSITION}'
            ) from None

    def save(self, positions: Mapping[str, Position]) -> None:
        if not positions:
            return

        def send() -> None:
            with self._turn:
                self._saves += 1
                arguments: list[Any] = [self._id, self._saves]
                for channel, position in positions.items():
                    arguments += (channel_name(channel), position_to_json(position))
                self._save_script(keys=[self._positions, self._writer], args=arguments)

        self._call(send)

    def add_dead_letter(self, letter: DeadLetter) -> int:
        text = letter_to_json(letter)

        def send() -> int:
            replies = self._once(
                ('MULTI',),
                ('XADD', self._letters, '*', 'letter', text),
                ('XTRIM', self._letters, 'MAXLEN', self._letter_limit),
                ('EXEC',),
            )
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            return int(replies[1])

        return self._call(send)

    def dead_letters(
        self,
        *,
        channel: str | None = None,
        newest_first: bool = False,
        after: str | None = None,
        count: int = 100,
    ) -> list[DeadLetter]:
        """As the protocol says; the bound holds for each hundred letters that are looked at."""
        check_count(count)
        page: list[DeadLetter] = []
        if after is not None and _stream_id(after) is None:
            raise ValueError(f'{after!r} is no number of a dead letter')
        while True:
            chunk = self._chunk(after, newest_first)
            for number, fields in chunk:
                after = number.decode()
                letter = self._letter(after, fields)
                if channel is None or without_filter(letter.channel) == without_filter(channel):
                    page.append(letter)
                    if len(page) >= count:
                        return page
            if len(chunk) < CHUNK:
                return page

    def dead_letter(self, number: str) -> DeadLetter | None:
        if _stream_id(number) is None:
            return None
        found = self._call(lambda: self._redis.xrange(self._letters, number, number))
        return self._letter(number, found[0][1]) if found else None

    def remove_dead_letter(self, number: str) -> bool:
        if _stream_id(number) is None:
            return False
        return bool(self._call(lambda: self._once(('XDEL', self._letters, number))))

    def count_dead_letters(self) -> int:
        return int(self._call(lambda: self._redis.xlen(self._letters)))

    def close(self) -> None:
        self._redis.connection_pool.disconnect()

    # --- parts ------------------------------------------------------------------------------------

    def _adopt(self, channel: str, old: bytes, rest: float) -> bytes:
        """Copy a position of version 1.2, unless another process was quicker; gives what is kept now."""
        text = old.decode('utf-8', 'replace')
        age = self._old_ttl - rest if 0 <= rest <= self._old_ttl else self._old_ttl
        seen = self._clock() - age
        try:
            replay_id: int | str = int(text) if text.isascii() and text.isdigit() else text
        except ValueError:  # more digits than Python reads as a number
            replay_id = text
        position = position_to_json(Position(replay_id, None, seen, seen))

        def copy() -> bytes:
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.hsetnx(self._positions, channel_name(channel), position)
            pipeline.hget(self._positions, channel_name(channel))
            created, kept = pipeline.execute()
            if created:
                log.info(
                    '%s: took over the position %s that version 1.2 kept, %.0f s old', channel, text, age
                )
            return bytes(kept)

        return self._call(copy)

    def _chunk(self, after: str | None, newest_first: bool) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """The next letters. "(", which excludes a bound, came with Redis 6.2."""
        if newest_first:
            last = '+' if after is None else _neighbour(after, -1)
            found = (
                []
                if last is None
                else self._call(lambda: self._redis.xrevrange(self._letters, last, '-', CHUNK))
            )
        else:
            first = '-' if after is None else _neighbour(after, 1)
            found = (
                []
                if first is None
                else self._call(lambda: self._redis.xrange(self._letters, first, '+', CHUNK))
            )
        return found

    def _letter(self, number: str, fields: Mapping[bytes, bytes]) -> DeadLetter:
        try:
            return letter_from_json(fields[b'letter'].decode('ascii', 'replace'), number)
        except (KeyError, ValueError) as problem:
            raise StoreUnreadable(
                f'{self.place}, dead letter {number}: {problem}; {WITHOUT_LETTER}'
            ) from None

    def _once(self, *commands: tuple[Any, ...]) -> Any:
        """Send commands, and never again; gives the reply to the last one.

        redis-py repeats a command whose reply was lost: a letter would be kept twice, and one that is
        removed be said not to have been there. The ping may be repeated: a connection that has gone is
        replaced before anything is sent.
        """
        with self._redis.client() as client:
            client.ping()
            connection = client.connection
            try:
                connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                return [connection.read_response() for _ in commands][-1]
            except BaseException:
                # Other replies may be under way.
                connection.disconnect()
                raise

    def _call(self, function: Callable[[], T]) -> T:
        """Carry out a call within its bound; turn what it raises into `StoreFailed`, once and for all."""
        late = eventlet.Timeout(self._limit)
        try:
            return function()
        except eventlet.Timeout as timeout:
            if timeout is not late:
                raise  # of the caller's own
            said = f'no answer within {self._limit:g} s'
        except (RedisError, OSError, EOFError, ValueError, RecursionError) as problem:
            # EOFError: `close` from another green thread. ValueError and RecursionError: it is no Redis.
            said = self._words(problem)
        finally:
            late.cancel()
        # Not above: it would hold redis-py's exception, whose text and whose frames have the password.
        raise StoreFailed(f'{self.place}: {said}')

    def _words(self, problem: Exception) -> str:
        """What went wrong, without credentials or event: redis-py repeats commands, and servers arguments."""
        said = str(problem).rpartition(' of pipeline caused error: ')[2] or type(problem).__name__
        for secret in self._secrets:
            said = said.replace(secret, '***')
        return said if len(said) <= SHOWN else said[:SHOWN] + '...'


class _Pool(ConnectionPool):
    """Shows no options, nor does the client that has it: early versions of redis-py show all."""

    def __repr__(self) -> str:
        return f'<pool of {place_of(self.connection_kwargs)}>'


def _old_keys(channel: str) -> list[bytes]:
    """Where version 1.2 may have kept the position of a channel, the likelier first."""
    return [
        b'salesforce:replay_id:' + name.encode('utf-8', 'surrogatepass')
        for name in dict.fromkeys((channel, without_filter(channel)))
    ]


def _stream_id(number: str) -> tuple[int, int] | None:
    """The two parts of the id of a stream's entry; None: it is none."""
    milliseconds, dash, sequence = number.partition('-')
    parts = (milliseconds, sequence)
    if not dash or not all(each.isascii() and each.isdigit() and len(each) <= 20 for each in parts):
        return None
    found = (int(milliseconds), int(sequence))
    return found if max(found) <= LARGEST else None


LARGEST = 2**64 - 1


def _neighbour(number: str, step: int) -> str | None:
    """The id next to one in a stream, up or down; None beyond the last one."""
    found = _stream_id(number)
    assert found is not None
    whole = found[0] * (LARGEST + 1) + found[1] + step
    if not 0 <= whole < (LARGEST + 1) ** 2:
        return None
    return '{}-{}'.format(*divmod(whole, LARGEST + 1))
