"""A service whose handlers are slower than the stream, for test_backlog.py: tells its memory."""

import json
import os
import re
from pathlib import Path

import eventlet

from nameko_salesforce.streaming import handle_platform_event

COUNT = int(os.environ['BACKLOG_COUNT'])
REPORT = Path(os.environ['BACKLOG_REPORT'])


def peak():
    # Not ru_maxrss: that begins with what the parent had when it forked.
    return int(re.search(r'VmHWM:\s+(\d+)', Path('/proc/self/status').read_text())[1]) * 1024


class Slow:
    name = 'slow'
    before = peak()
    handled = bytearray(COUNT)  # as little memory as can be
    count = 0

    @handle_platform_event('Low_Ink__e', order=None, start='earliest')
    def handle(self, name, event):
        if not Slow.count:
            Slow.before = peak()
        number = int(event.payload['Printer_Model__c'])
        if not self.handled[number]:
            self.handled[number] = 1
            Slow.count += 1
        if Slow.count % 10 == 0:
            eventlet.sleep(0.001)
        if Slow.count == COUNT:
            REPORT.with_suffix('.part').write_text(json.dumps({'before': Slow.before, 'peak': peak()}))
            REPORT.with_suffix('.part').rename(REPORT)
