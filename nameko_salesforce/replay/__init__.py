"""Positions in the streams, and the events that no handler could take. Floor 3.

    from nameko_salesforce.replay.stores import open_store

Knows no account and no Nameko: a store is told whose positions it keeps. `position.py`, `tracker.py`,
`store.py` and `uri.py` are pure; the stores and the committer are edges. Importing this package loads
nothing.
"""

__all__: list[str] = []
