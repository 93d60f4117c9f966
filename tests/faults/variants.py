"""The API with one thing changed, for this harness alone: `python -m tests.faults.variants NAME`.

Two are careless on purpose, and must be found out: if the harness cannot see them fail, it proves
nothing. One has a clock that is wrong.
"""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import uvicorn
from fastapi import FastAPI

import app.core.database
import app.main
from app.core.clock import SystemClock
from app.core.config import Settings
from app.repositories.session_items import ClaimRequest, Holder, SessionItemRepository

DAYS_AHEAD = 3


class ShiftedClock:
    """The machine's clock, days ahead. Nothing in app/ asks any other clock what day it is."""

    def __init__(self, days: float) -> None:
        self._clock, self._shift = SystemClock(), timedelta(days=days)

    def now(self) -> datetime:
        return self._clock.now() + self._shift


def clock_ahead() -> FastAPI:
    """The API on a machine whose clock is three days ahead."""
    return app.main.create_app(clock=ShiftedClock(DAYS_AHEAD))


def write_concern_1() -> FastAPI:
    """The API that is content when the primary alone has a write."""
    mock.patch.dict(app.core.database._OPTIONS, {"w": 1, "journal": False}).start()
    return app.main.create_app()


def check_then_act() -> FastAPI:
    """The API that looks whether there is a repeat, and writes when there was none."""
    mock.patch.object(SessionItemRepository, "claim_new", _claim_nothing).start()
    mock.patch.object(SessionItemRepository, "claim", _look_and_then_write).start()
    return app.main.create_app()


async def _claim_nothing(
    repository: SessionItemRepository, site: str, requests: Sequence[ClaimRequest], now: datetime
) -> list[int]:
    return list(range(len(requests)))


async def _look_and_then_write(
    repository: SessionItemRepository, site: str, requests: Sequence[ClaimRequest], now: datetime
) -> list[Holder | None]:
    answers: list[Holder | None] = []
    for request in requests:
        found = await repository.collection.find_one({"_id": request.key}) or {"claims": []}
        holder = _near(request, found["claims"])
        answers.append(holder)
        if holder is None:
            claim = {"at": request.at, "event": request.event, "made": now}
            await repository.collection.update_one(
                {"_id": request.key},
                {"$push": {"claims": claim}, "$set": {"expires_at": now + timedelta(days=1)}},
                upsert=True,
            )
    return answers


def _near(request: ClaimRequest, claims: Sequence[dict[str, Any]]) -> Holder | None:
    cooldown = timedelta(seconds=request.cooldown)
    for claim in claims:
        if claim["event"] != request.event and abs(claim["at"] - request.at) < cooldown:
            return Holder(claim["event"], claim["at"], claim["made"])
    return None


def main() -> None:
    settings = Settings()
    uvicorn.run(
        f"tests.faults.variants:{sys.argv[1]}",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=settings.log_level,
        timeout_graceful_shutdown=8,
    )


if __name__ == "__main__":
    main()
