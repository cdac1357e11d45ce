"""Salesforce for Nameko services. Imports nothing: each part is loaded by those who use it."""

__all__ = ['__version__']

__version__ = '2.0.0.dev0'
