"""What an idle client does, looked at from outside: the kernel's counters, twice."""

import time
from pathlib import Path
from typing import Any

__all__ = ['observe']

# Seconds after the beginning of the hold, in which a client may still be busy with the events before it. It
# saves their position with a limit of 2 s, and eventlet wakes for a cancelled timer, too, when that is due.
CALM = 2.5
# Seconds before its end.
MARGIN = 0.5


def counters(pid: int) -> tuple[int, int]:
    """Nanoseconds of CPU, and how often it went to sleep: of all threads of a process."""
    nanoseconds = switches = 0
    for thread in Path(f'/proc/{pid}/task').iterdir():
        nanoseconds += int((thread / 'schedstat').read_text().split()[0])
        for line in (thread / 'status').read_text().splitlines():
            if line.startswith('voluntary_ctxt_switches'):
                switches += int(line.split()[1])
    return nanoseconds, switches


def observe(pid: int, hold: float) -> dict[str, Any]:
    """Watch a client whose poll is held from now on for so many seconds."""
    time.sleep(min(CALM, hold / 4))
    begun = time.monotonic()
    cpu, switches = counters(pid)
    time.sleep(hold - min(CALM, hold / 4) - MARGIN)
    cpu_later, switches_later = counters(pid)
    return {
        'idle_seconds': time.monotonic() - begun,
        'idle_cpu': (cpu_later - cpu) / 1e9,
        'idle_switches': switches_later - switches,
    }
