"""`make faults`: kills, freezes and cuts off what Footfall runs on, and counts what is left.

Not part of `make test`: it starts a replica set of its own and takes minutes. docs/reliability.md
says what it proves.
"""
