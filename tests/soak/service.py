"""The service that lives long: that of `make crash`, and a look at itself every few seconds."""

import gc
import json
import os
import resource
from pathlib import Path

import greenlet
from nameko.timer import timer

from nameko_salesforce.api import SalesforceAPI
from nameko_salesforce.streaming import StreamingStatus
from tests.crash.service import Crash

__all__ = ['Soak']

# Seconds.
LOOK_DISTANCE = 2.0


class Soak(Crash):
    salesforce = SalesforceAPI()
    status = StreamingStatus()

    @timer(interval=LOOK_DISTANCE)  # type: ignore[untyped-decorator]
    def look(self) -> None:
        """Add a line to the file of vital signs; and use the token as handlers would."""
        self.salesforce.query('SELECT Id FROM Organization')
        report = self.status.report().as_dict()
        line = {
            'rss': _rss(),
            'descriptors': len(os.listdir('/proc/self/fd')),
            'green_threads': _green_threads(),
            'reconnects': report['reconnects'],
        }
        with Path(os.environ['SOAK_VITALS']).open('a') as file:
            file.write(json.dumps(line) + '\n')


def _rss() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize()


def _green_threads() -> int:
    return sum(isinstance(each, greenlet.greenlet) and not each.dead for each in gc.get_objects())
