"""Nameko entrypoints for the Streaming API of Salesforce. Floor 4."""

__all__: tuple[str, ...] = ()
