"""Covariance eigenspectra of every map of a model, over a fixed probe set."""
