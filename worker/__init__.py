"""Runs the queue and trains; the only package that imports torch."""
