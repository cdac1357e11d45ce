"""What each client measures of itself, the same for all in Python; `meter.js` is its twin.

The measured part begins when the last event of the warm-up is handled, and ends when the last event is.
CPU time is user and system time of the whole process, all its threads included, from the kernel. The base
of the memory is taken at the first event of the warm-up: everything is imported, connected and
subscribed, and nothing waits. Garbage is collected there, or that of the imports would be in the measured
part of one client and not of another, 60 ms once. The peak is the kernel's high-water mark from there to
the end (`VmHWM`, set back at the base).
"""

import gc
import json
import sys
import time
from typing import Any

__all__ = ['Meter', 'task']

TENTHS = 10


def task() -> dict[str, Any]:
    """What to do, as `programs.py` says it: url, channels, warm, events, and what some need besides."""
    return json.loads(sys.argv[1])


def status() -> dict[str, int]:
    """Numbers of /proc/self/status; memory in bytes."""
    found = {}
    with open('/proc/self/status') as lines:
        for line in lines:
            name, _, rest = line.partition(':')
            if name in ('VmRSS', 'VmHWM'):
                found[name] = int(rest.split()[0]) * 1024
            elif name == 'voluntary_ctxt_switches':
                found[name] = int(rest)
    return found


class Meter:
    """Counts events.

    Args:
        done: called once, after the last event was measured.

    Attributes:
        seen: events so far.
    """

    def __init__(self, what: dict[str, Any], done: Any = None) -> None:
        self.seen = 0
        self._warm = what['warm']
        self._total = what['warm'] + what['events']
        self._done = done
        self._marks = [self._warm + what['events'] * part // TENTHS for part in range(1, TENTHS)]
        self._next = 1
        self._cpu: list[float] = []
        self._base = 0
        self._latencies: list[float] | None = [] if what.get('timed') else None
        self.result: dict[str, Any] = {}

    def event(self, data: Any = None) -> None:
        """An event was handled; `data` is looked at where moments are measured."""
        seen = self.seen = self.seen + 1
        if self._latencies is not None and seen > self._warm:
            self._latencies.append(time.monotonic() - data['event']['published'])
        if seen >= self._next:
            self._mark()

    def events(self, count: int) -> None:
        """So many at once."""
        self.seen += count
        if self.seen >= self._next:
            self._mark()

    def _mark(self) -> None:
        cpu = time.process_time()
        if not self._base:
            # The first events of the warm-up.
            gc.collect()
            self._base = status()['VmRSS']
            with open('/proc/self/clear_refs', 'w') as peak:
                peak.write('5')
            self._next = self._warm
        elif self.seen >= self._total:
            self._end(cpu)
        else:
            if not self._cpu:
                self._switches = status()['voluntary_ctxt_switches']
                self._begun = self.seen
                self._wall = time.monotonic()
                cpu = time.process_time()
            self._cpu.append(cpu)
            while self._marks and self._marks[0] <= self.seen:
                self._marks.pop(0)
            self._next = self._marks[0] if self._marks else self._total

    def _end(self, cpu: float) -> None:
        wall = time.monotonic() - self._wall
        self._cpu.append(cpu)
        now = status()
        self._next = sys.maxsize
        self.result = {
            'events': self.seen - self._begun,
            'cpu': cpu - self._cpu[0],
            'wall': wall,
            'rss_base': self._base,
            'rss_peak': max(now['VmHWM'], self._base),
            'switches': now['voluntary_ctxt_switches'] - self._switches,
            'tenths': [after - before for before, after in zip(self._cpu, self._cpu[1:], strict=False)],
        }
        if self._latencies is not None:
            self.result['latencies'] = self._latencies
        if self._done is not None:
            self._done()

    def report(self, **more: Any) -> None:
        """Say what was measured, for `programs.py` to read."""
        print(json.dumps({**self.result, **more}), flush=True)
