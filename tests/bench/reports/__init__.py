"""`make bench-reports`: what reports cost over one and over ten million events, every figure checked.

Not part of `make test`: it wants a quiet machine for half an hour. docs/performance.md says what it
measures and has the table of its last run.
"""
