"""The dependency without a running container. The process is monkey-patched as under `nameko run`."""

import eventlet

eventlet.monkey_patch()
