"""The three real problems that the benchmarks shrink models for."""
