"""What the probe costs, measured: `make bench`; docs/benchmarks.md says how to read it."""
