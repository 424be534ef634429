"""Eigenvalues in, numbers out: pure numpy."""
