from fake_salesforce.org.errors import OrgError, deleted, invalid_field, malformed_query, no_resource


def test_a_refusal_is_a_bad_request_and_names_the_fields_at_fault():
    error = invalid_field('no such thing', 'Query')
    assert (error.status, error.code, error.message, error.fields) == (
        400,
        'INVALID_FIELD',
        'no such thing',
        ('Query',),
    )
    assert str(error) == 'INVALID_FIELD: no such thing'


def test_what_is_not_there_is_not_found():
    assert (no_resource().status, no_resource().code) == (404, 'NOT_FOUND')
    assert (deleted().status, deleted().code) == (404, 'ENTITY_IS_DELETED')


def test_other_refusals_say_their_code():
    assert malformed_query('x').code == 'MALFORMED_QUERY'
    assert OrgError('A', 'b', status=300).status == 300
