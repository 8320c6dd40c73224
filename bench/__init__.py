"""The races against named peers: `make bench`, or `python -m bench [NAME…] [--short]`.

Each module of `RACES` has one `run(size) -> list[Figure]`. Ours and the peer take turns in a run, A B A B,
and medians are compared. Results stay in var/bench as JSON, docs/PERFORMANCE.md is written from all of them.
"""
