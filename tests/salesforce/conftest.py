"""Parts of an account, without Nameko. The process is monkey-patched as under `nameko run`.

requests is green only there, and what several workers do to one session is what these tests are about.
"""

import eventlet

eventlet.monkey_patch()
