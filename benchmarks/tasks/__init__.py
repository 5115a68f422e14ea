"""The five real problems that the benchmarks shrink models for."""
