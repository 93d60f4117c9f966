"""The application as `footfall serve` runs it: in a process that does nothing else."""

import gc

from fastapi import FastAPI

from app.main import create_app

# Objects that may be made, beyond those that are gone, before Python looks for cycles among them.
# A request makes some hundred, and a rollup many thousand, none of them in cycles; the default of 700
# is a look every few requests, and a fifth of what rolling up takes.
GC_THRESHOLDS = (50_000, 20, 50)


def create_process() -> FastAPI:
    """The application, with the garbage collector set for a server.

    What there is now (modules, types, the schema) stays for good, and is not looked at again.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    return app
