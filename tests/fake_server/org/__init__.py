"""The org behind the fake: objects, records, queries, PushTopics and the events that changes raise. Pure."""

__all__ = ()
