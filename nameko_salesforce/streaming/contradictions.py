"""What two decorators of one service may not contradict each other in. Floor 4: pure."""

from typing import TYPE_CHECKING

from nameko_salesforce.bayeux.channels import without_filter
from nameko_salesforce.push_topics import collect

if TYPE_CHECKING:
    from nameko_salesforce.streaming.entrypoints import SalesforceEntrypoint

__all__ = ['check_together']


def check_together(one: 'SalesforceEntrypoint', other: 'SalesforceEntrypoint') -> None:
    """Raise `ValueError` where two entrypoints cannot be in one service."""
    if one.channel != other.channel and without_filter(one.channel) == without_filter(other.channel):
        raise ValueError(
            f'{one.channel} of {one.method_name}() and {other.channel} of {other.method_name}(): events of a '
            'topic do not say which filter they have passed. Subscribe to it once, and choose in the handler'
        )
    if one.channel == other.channel:
        for name, ours, theirs in (
            ('start', one.start_at, other.start_at),
            ('on_gap', one.on_gap, other.on_gap),
        ):
            if ours is not theirs:
                raise ValueError(
                    f'{one.channel}: {name} is {ours.value!r} of {one.method_name}() and {theirs.value!r} of '
                    f'{other.method_name}(); a channel has one position, so say the same'
                )
    collect(each.topic for each in (other, one) if each.topic is not None)
