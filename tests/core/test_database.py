"""Indexes follow the documents and the settings."""

from typing import Any

from app.main import open_services

HOUR = 3_600
DAY = 24 * HOUR


async def lifetimes(api: Any) -> dict[str, Any]:
    """Seconds after which something expires, by collection and index."""
    found = {}
    for collection in ("events", "decisions", "sessions", "quarter_hours", "rollups"):
        for name, index in (await api.database[collection].index_information()).items():
            if "expireAfterSeconds" in index:
                found[f"{collection}.{name}"] = index["expireAfterSeconds"]
    return found


async def test_retention_follows_the_setting_at_the_next_start(make_api: Any) -> None:
    """Changing the days changes the TTL index; 0 removes it; a number brings it back. Events stay two
    hours longer than they are accepted, to be rolled up."""
    api = await make_api(data_retention_days=90)
    assert (await lifetimes(api))["events.retention"] == 90 * DAY + 2 * HOUR
    api = await make_api(data_retention_days=7, ledger_retention_days=3)
    assert await lifetimes(api) == {
        "events.retention": 7 * DAY + 2 * HOUR,
        "sessions.session_retention": 7 * DAY + 2 * HOUR,
        "decisions.ledger_retention": 3 * DAY,
    }
    api = await make_api(data_retention_days=0)
    assert "events.retention" not in await lifetimes(api)
    api = await make_api()
    assert (await lifetimes(api))["events.retention"] == 90 * DAY + 2 * HOUR


async def test_rollups_have_a_retention_of_their_own(make_api: Any) -> None:
    """They stay for ever, or so many days after the last event of a week is stored."""
    longest = 24_800
    api = await make_api(data_retention_days=longest, rollup_retention_days=longest)
    seconds = (longest + 7) * DAY + 2 * HOUR
    found = await lifetimes(api)
    assert found["quarter_hours.rollup_retention"] == seconds
    assert found["rollups.rollup_retention"] == seconds
    api = await make_api()
    assert not {name for name in await lifetimes(api) if "rollup" in name}


async def test_indexes_that_are_no_longer_declared_are_dropped(make_api: Any) -> None:
    """An index that no document declares costs every write, so it goes at the next start."""
    api = await make_api()
    await api.database["events"].create_index("forgotten", name="forgotten")
    api = await make_api()
    assert "forgotten" not in await api.database["events"].index_information()


async def test_an_index_that_changed_is_made_anew(make_api: Any) -> None:
    """Same name, other keys: the declared one is there afterwards."""
    api = await make_api()
    await api.database["events"].drop_index("by_time")
    await api.database["events"].create_index([("at", 1), ("site", 1)], name="by_time")
    api = await make_api()
    assert (await api.database["events"].index_information())["by_time"]["key"] == [
        ("site", 1),
        ("at", 1),
    ]


async def test_a_command_does_not_change_how_long_things_are_kept(make_api: Any) -> None:
    """Events kept for ever stay, though a command is run with the default of 90 days; and 7 days stay 7."""
    for days, kept in ((0, None), (7, 7 * DAY + 2 * HOUR)):
        api = await make_api(data_retention_days=days)
        settings = api.settings.model_copy(update={"data_retention_days": 90})
        async with open_services(settings):
            pass
        assert (await lifetimes(api)).get("events.retention") == kept


async def test_a_command_that_comes_first_sets_what_its_settings_say(make_api: Any) -> None:
    """On a new database there is nothing to keep: the first command makes the TTL index."""
    api = await make_api()
    settings = api.settings.model_copy(update={"database": f"{api.settings.database}_new"})
    await api.app.state.client.drop_database(settings.database)
    async with open_services(settings):
        indexes = await api.app.state.client[settings.database]["events"].index_information()
    assert indexes["retention"]["expireAfterSeconds"] == 90 * DAY + 2 * HOUR
    await api.app.state.client.drop_database(settings.database)
