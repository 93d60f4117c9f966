"""`make bench`: how fast tracking is, as shares of what the same machine could do at best.

Not part of `make test`: it wants a quiet machine for some minutes. docs/performance.md says what it
measures and has the table of its last run.
"""
