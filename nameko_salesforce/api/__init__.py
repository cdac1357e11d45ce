"""Nameko dependency for the REST API of Salesforce. Floor 4."""

from nameko_salesforce.api.dependency import SalesforceAPI

__all__ = ['SalesforceAPI']
