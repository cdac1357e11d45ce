from fake_salesforce.journal import Journal, Kind


def test_entries_are_numbered_and_found_by_their_properties():
    journal = Journal()
    journal.write(1.0, Kind.REQUEST, exchange=1, session='s', channel='/a', detail={'id': '1', 'data': 2})
    journal.write(2.0, Kind.REPLY, exchange=1, session='t', channel='/b')
    journal.write(3.0, Kind.REQUEST, channel=['not', 'a', 'name'])
    assert [entry.number for entry in journal.entries()] == [1, 2, 3]
    assert [entry.number for entry in journal.entries(kind=Kind.REQUEST)] == [1, 3]
    assert [entry.number for entry in journal.entries(channel='/b')] == [2]
    assert [entry.number for entry in journal.entries(session='s')] == [1]
    assert [entry.number for entry in journal.entries(detail={'data': 2})] == [1]
    assert journal.entries(detail={'missing': None}) == []
    assert journal.entries()[2].channel is None


def test_entries_after_a_number_are_found_though_older_ones_were_forgotten():
    journal = Journal(limit=3)
    for _ in range(5):
        journal.write(0.0, Kind.GONE)
    assert [entry.number for entry in journal.entries()] == [3, 4, 5]
    assert [entry.number for entry in journal.entries(after=1)] == [3, 4, 5]
    assert [entry.number for entry in journal.entries(after=4)] == [5]
    assert journal.last_number == 5


def test_the_listener_hears_of_every_entry():
    journal, heard = Journal(), []
    journal.listener = lambda: heard.append(journal.last_number)
    journal.write(0.0, Kind.GONE)
    journal.write(0.0, Kind.GONE)
    assert heard == [1, 2]


def test_violations_are_a_kind_of_entry():
    journal = Journal()
    journal.write(0.0, Kind.GONE)
    journal.write(0.0, Kind.VIOLATION, detail={'violation': 'early_poll', 'text': ''})
    assert [entry.number for entry in journal.violations] == [2]
    assert journal.violations[0].as_json()['detail']['violation'] == 'early_poll'
