"""How many examples a property is tried with.

`make test` tries the same ones each time, so that it says the same of the same code. `make properties` looks
for others, and for EXAMPLES times as many.
"""

import os


def examples(number: int) -> int:
    """So many in `make test`."""
    return number * int(os.environ.get("EXAMPLES", "1"))
