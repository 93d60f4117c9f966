"""The application as a server's process makes it."""

import gc

import pytest
from fastapi import FastAPI

from app.serving import GC_THRESHOLDS, create_process


def test_a_server_keeps_its_modules_out_of_garbage_collection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What there is at the start is frozen, and Python looks for cycles seldom."""
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    before = gc.get_threshold()
    try:
        assert isinstance(create_process(), FastAPI)
        assert gc.get_threshold() == GC_THRESHOLDS
        assert frozen
    finally:
        gc.set_threshold(*before)
