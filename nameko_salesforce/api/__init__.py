"""Nameko dependency for the REST API of Salesforce. Floor 4."""

__all__: tuple[str, ...] = ()
