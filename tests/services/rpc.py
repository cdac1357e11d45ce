"""An entrypoint that nothing but a test calls, by `entrypoint_hook`."""

from nameko.extensions import Entrypoint

__all__ = ['local']


class Local(Entrypoint):
    pass


local = Local.decorator
