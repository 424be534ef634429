"""Telling other programs how runs end, and which are stuck: an outbox in the database, delivered at least once."""
