"""Texts inside SOQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.format import quote_soql_value

from nameko_salesforce.soql import quote


@pytest.mark.defect('T4')
@given(st.text())
def test_a_text_is_quoted_as_simple_salesforce_does(text):
    assert quote(text) == quote_soql_value(text)
