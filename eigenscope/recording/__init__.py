"""Recorders: where somebody's own training leaves what it measures."""
