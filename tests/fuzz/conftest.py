"""How many examples each test draws, and how long one may take.

A few in `make test`, as many as there is time for in `make fuzz`.
"""

import os

from hypothesis import HealthCheck, is_hypothesis_test, settings

from tests.fuzz.limit import limited

settings.register_profile(
    'fuzz',
    max_examples=int(os.environ.get('FUZZ_EXAMPLES', '50')),
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile('fuzz')

# Seconds for one example; most take a thousandth of it.
EXAMPLE_LIMIT = float(os.environ.get('FUZZ_EXAMPLE_LIMIT', '20'))


def pytest_itemcollected(item):
    function = getattr(item, 'obj', None)
    if is_hypothesis_test(function) and not hasattr(function.hypothesis.inner_test, 'limit'):
        function.hypothesis.inner_test = limited(function.hypothesis.inner_test, EXAMPLE_LIMIT)
