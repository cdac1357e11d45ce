"""Nameko dependency for the REST API of Salesforce. Floor 4."""

from nameko_salesforce.api.dependency import SalesforceAPI
from nameko_salesforce.rest import RestClient
from nameko_salesforce.rest_answers import AnswerTooLong
from nameko_salesforce.rest_session import NoConnectionFree

__all__ = ['AnswerTooLong', 'NoConnectionFree', 'RestClient', 'SalesforceAPI']
