"""Runs: one training of one detector, from its specification to its result."""
