import asyncio

from fake_salesforce.clock import Clock

LONG = 3600.0


def test_a_push_moves_the_clock():
    async def story():
        clock = Clock()
        before = clock.now()
        clock.advance(LONG)
        assert LONG <= clock.now() - before < LONG + 10

    asyncio.run(story())


def test_sleepers_wake_when_the_clock_is_pushed_far_enough():
    async def story():
        clock = Clock()
        sleeper = asyncio.ensure_future(clock.sleep(LONG))
        await asyncio.sleep(0)
        clock.advance(LONG / 2)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not sleeper.done()
        clock.advance(LONG / 2)
        await asyncio.wait_for(sleeper, 10)

    asyncio.run(story())


def test_waiting_without_a_moment_ends_with_the_next_wake():
    async def story():
        clock = Clock()
        waiter = asyncio.ensure_future(clock.wait_until(None))
        await asyncio.sleep(0)
        clock.wake()
        await asyncio.wait_for(waiter, 10)

    asyncio.run(story())


def test_a_quick_clock_runs_ahead_of_real_time():
    async def story():
        clock = Clock(speed=10_000.0)
        before = clock.now()
        assert clock.real_seconds_until(before + 10_000.0) <= 1.0
        await asyncio.wait_for(clock.sleep(LONG), 10)
        assert clock.now() >= before + LONG

    asyncio.run(story())


def test_pushes_of_a_quick_clock_are_in_its_own_seconds():
    clock = Clock(speed=0.001)
    before = clock.now()
    clock.advance(LONG)
    assert LONG <= clock.now() - before < LONG + 1
    assert clock.real_seconds_until(before) == 0.0


def test_a_sleep_ends_by_itself():
    asyncio.run(asyncio.wait_for(Clock().sleep(0.001), 10))
