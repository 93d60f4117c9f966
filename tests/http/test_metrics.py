"""Numbers for Prometheus."""

import secrets
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import start_server, stop_server

TOKEN = "metrics-token"


def value(text: str, name: str, **labels: str) -> float:
    """One sample's value; 0 where there is none."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def scrape(api: Any) -> str:
    response = await api.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    return str(response.text)


async def test_endings_and_steps_are_counted(make_api: Any) -> None:
    """One more of each ending, and every step has taken its time once more."""
    api = await make_api(metrics_token=TOKEN)
    before = await scrape(api)
    click = {"type": "CLICK", "itemId": "a", "sessionId": "s"}
    await api.track(click, click, {"type": "CLICK"})
    after = await scrape(api)
    for verdict, reason in (("ACCEPTED", ""), ("DUPLICATE", "COOLDOWN"), ("REJECTED", "INVALID")):
        labels = {"verdict": verdict, "reason": reason}
        name = "footfall_events_total"
        assert value(after, name, **labels) - value(before, name, **labels) == 1
    for step in ("validate", "screen", "enrich", "claim", "write", "answer"):
        name = "footfall_step_seconds_count"
        assert value(after, name, step=step) - value(before, name, step=step) == 1


async def test_metrics_are_for_who_has_the_token(make_api: Any) -> None:
    """They are of all sites: without the setting there are none, and a site's key does not open them."""
    assert (await (await make_api()).http.get("/metrics")).status_code == 404
    api = await make_api(metrics_token=TOKEN)
    for headers in ({}, {"Authorization": "Bearer test-admin-key"}):
        assert (await api.http.get("/metrics", headers=headers)).status_code == 401


async def test_the_token_is_compared_in_constant_time(
    make_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison that takes as long for a wrong token as for the right one decides."""
    api = await make_api(metrics_token=TOKEN)
    monkeypatch.setattr(secrets, "compare_digest", lambda one, other: one != other)
    for token, status in ((TOKEN, 401), ("another", 200)):
        headers = {"Authorization": f"Bearer {token}"}
        assert (await api.http.get("/metrics", headers=headers)).status_code == status


def test_several_workers_are_added_up(mongo_url: str, database_name: str, tmp_path: Any) -> None:
    """Whichever worker answers, the numbers are those of all."""
    server = start_server(
        mongo_url,
        f"{database_name}_metrics",
        tmp_path,
        FOOTFALL_WORKERS="2",
        FOOTFALL_METRICS_TOKEN=TOKEN,
    )
    try:
        for n in range(20):  # a connection each, so that both workers get some
            answer = httpx.post(
                f"{server.url}/graphql",
                json={
                    "query": f'mutation {{ trackClick(input: {{itemId: "{n}"}}) {{ verdict }} }}'
                },
                headers={"X-API-Key": server.write_key},
            )
            assert answer.json()["data"]["trackClick"]["verdict"] == "ACCEPTED"
        for _ in range(4):
            text = httpx.get(
                f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
            ).text
            assert value(text, "footfall_events_total", verdict="ACCEPTED") == 20
    finally:
        stop_server(server)
