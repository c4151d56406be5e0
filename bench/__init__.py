"""Measurements: `python -m pytest bench` by topic and level, `python -m bench.report` as a whole.

Both run from the folder that holds `bench/`; docs/benchmarks.md says how they measure.
"""
