"""Say clearly when the Python at hand is too old, before pip says it unclearly."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Footfall needs Python 3.11 or newer; this is "
        f"{sys.version.split()[0]}. Name another one with: make PYTHON=python3.12 ..."
    )
