from fake_salesforce.sessions import AckBook, Exchange, HeldConnect, Registry, Session


def test_the_book_forgets_up_to_the_acknowledged_batch():
    book = AckBook()
    book.keep({'n': 1})
    assert book.close_batch() == 1
    book.keep({'n': 2})
    assert book.up_to(1) == [{'n': 1}]
    assert book.up_to(2) == [{'n': 1}, {'n': 2}]
    book.acknowledge(1)
    assert (len(book), book.up_to(2)) == (1, [{'n': 2}])
    book.acknowledge(-1)
    assert len(book) == 1


def test_a_queue_is_urgent_from_the_first_event_that_is_not_lazy():
    session = Session('c', 'b')
    session.enqueue({}, lazy=True)
    assert not session.urgent
    session.enqueue({}, lazy=False)
    session.enqueue({}, lazy=True)
    assert session.urgent
    assert len(session.take_queue(None)) == 3
    assert (session.urgent, session.queue) == (False, [])


def test_a_session_is_due_at_the_first_of_its_times():
    session = Session('c', 'b')
    assert session.due is None
    session.expires_at, session.lazy_at = 5.0, 4.0
    session.held = HeldConnect(Exchange(1, [], None), {}, 3.0)
    assert session.due == 3.0


def test_a_removed_session_is_reached_by_nothing():
    registry = Registry()
    session = Session('c', 'b')
    registry.add(session)
    registry.subscribe(session, '/a/*')
    assert registry.reached('/a/b') == [session]
    registry.remove(session)
    assert registry.reached('/a/b') == []
    assert registry.get('c') is None
    assert session.ended


def test_held_connects_are_counted_by_cookie():
    registry = Registry()
    one, two = Session('1', 'b'), Session('2', 'b')
    for session in (one, two):
        registry.hold(session, HeldConnect(Exchange(1, [], None), {}, 1.0))
    assert registry.held_behind('b') == 2
    assert registry.let_go(one) is not None
    assert registry.let_go(one) is None
    assert registry.held_behind('b') == 1
    registry.let_go(two)
    assert registry.held_behind('b') == 0
