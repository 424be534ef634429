"""What a run measured: layers, eigenspectra, metrics."""
