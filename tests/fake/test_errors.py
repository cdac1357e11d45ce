from fake_salesforce import errors


def test_texts_are_those_of_the_reference_server():
    assert errors.SESSION_UNKNOWN == '402::session_unknown'
    assert errors.MESSAGE_ID_INVALID == '405::message_id_invalid'
    assert errors.subscribe_denied('why') == '403:why:subscribe_denied'
    assert errors.create_denied('why') == '403:why:create_denied'
    assert errors.publish_denied('why') == '403:why:publish_denied'
    assert errors.channel_create_denied('why') == '403:why:channel_create_denied'
