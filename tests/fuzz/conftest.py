"""How many examples each test draws: a few in `make test`, as many as there is time for in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    'fuzz',
    max_examples=int(os.environ.get('FUZZ_EXAMPLES', '50')),
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile('fuzz')
