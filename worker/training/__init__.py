"""Detectors, data, the loop, evaluation and checkpoints: what the trainer process does."""
