from fake_salesforce.window import Window


def test_a_window_forgets_what_is_as_old_as_it_is_long():
    window = Window(10.0)
    assert window.count(0.0) == 0
    window.add(0.0)
    window.add(5.0)
    assert [window.count(now) for now in (9.9, 10.0, 14.9, 15.0)] == [2, 1, 1, 0]
