"""The cookies of one Bayeux session. Floor 2, for what the standard library imports; no I/O.

A CometD server finds the session through its cookie before it looks at the client id, so that all
connections of a session share one jar and no two sessions ever do. What a cookie's attributes mean
is decided by the standard `http.cookiejar`; this module asks it rarely (it costs some 13 us) and
keeps the answer until a `Set-Cookie` or an expiry changes it.
"""

import re
import time
import urllib.request
from collections.abc import Callable, Iterable
from email.message import Message
from http.cookiejar import CookieJar

__all__ = ['Cookies']

# Browsers keep no longer ones (RFC 6265, 6.1), and a request head must stay within servers' bounds.
_LONGEST = 4096
# Could not be sent back: one such cookie would end all requests of the session.
_UNSENDABLE = re.compile(r'[^\t\x20-\x7e\x80-\xff]')


class Cookies:
    """One jar, and the `Cookie` header that it gives.

    Args:
        clock: seconds since the epoch. It says when a kept header is out of date; `Max-Age` and
            `Expires` are read by the standard jar with the system's clock.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._jar = CookieJar()
        self._kept: dict[str, str | None] = {}
        self._next_expiry = float('inf')

    def header(self, url: str) -> str | None:
        """The value of the `Cookie` header for a request to `url`, None if there is none to send."""
        if self._clock() >= self._next_expiry:
            self._drop_expired()
        if url not in self._kept:
            request = urllib.request.Request(url)
            self._jar.add_cookie_header(request)
            self._kept[url] = request.get_header('Cookie')
        return self._kept[url]

    def store(self, url: str, set_cookie_values: Iterable[str]) -> None:
        """Take the `Set-Cookie` headers of one answer from `url`; what is invalid is ignored."""
        message = Message()
        for value in set_cookie_values:
            if len(value) <= _LONGEST and not _UNSENDABLE.search(value):
                message['Set-Cookie'] = value
        if message:
            self._jar.extract_cookies(_Answer(message), urllib.request.Request(url))  # type: ignore[arg-type]
            self._changed()

    def clear(self) -> None:
        """Forget everything: the next request belongs to nobody's session."""
        self._jar.clear()
        self._changed()

    def _drop_expired(self) -> None:
        now = int(self._clock())
        for cookie in list(self._jar):
            if cookie.is_expired(now):
                self._jar.clear(cookie.domain, cookie.path, cookie.name)
        self._changed()

    def _changed(self) -> None:
        self._kept.clear()
        self._next_expiry = min((c.expires for c in self._jar if c.expires is not None), default=float('inf'))


class _Answer:
    """As much of a response as the standard jar looks at."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
