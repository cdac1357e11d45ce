"""A Bayeux (CometD) client on green threads."""
