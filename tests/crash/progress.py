"""Where a long run is, for whoever waits for it."""

import sys
import time

__all__ = ['Progress']

# Seconds between two lines of progress where nobody looks at a terminal.
PROGRESS_DISTANCE = 15.0


class Progress:
    """One line at a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()
        self._width = 0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        line = f'{now - self._began:5.0f} s  {text}'
        if sys.stderr.isatty():
            print(f'\r{line:{self._width}}', end='', file=sys.stderr, flush=True)
            self._width = len(line)
        elif now - self._said >= PROGRESS_DISTANCE:
            self._said = now
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._width:
            print(file=sys.stderr)
