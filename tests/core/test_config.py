"""Settings from the environment."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.core.config import Settings


def test_nestjs_names_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Milliseconds of a NestJS deployment become seconds; days stay days."""
    monkeypatch.setenv("ANALYTICS_RATE_LIMIT_WINDOW", "60000")
    monkeypatch.setenv("ANALYTICS_IMPRESSION_COOLDOWN", "45000")
    monkeypatch.setenv("ANALYTICS_CLICK_COOLDOWN", "1500")
    monkeypatch.setenv("ANALYTICS_CLEANUP_INTERVAL", "300000")
    monkeypatch.setenv("ANALYTICS_DATA_RETENTION_DAYS", "30")
    settings = Settings(_env_file=None)
    assert settings.rate_limit_window == 60
    assert settings.impression_cooldown == 45
    assert settings.click_cooldown == 1.5
    assert settings.cleanup_interval == 300
    assert settings.data_retention_days == 30


def test_our_own_names_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both names are set, FOOTFALL_ decides."""
    monkeypatch.setenv("ANALYTICS_CLICK_COOLDOWN", "1500")
    monkeypatch.setenv("FOOTFALL_CLICK_COOLDOWN", "7")
    assert Settings(_env_file=None).click_cooldown == 7


def test_settings_are_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file .env in the working folder is read, both kinds of names."""
    (tmp_path / ".env").write_text("FOOTFALL_PORT=9000\nANALYTICS_IMPRESSION_COOLDOWN=10000\n")
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert (settings.port, settings.impression_cooldown) == (9000, 10)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rate_limit", "6000"),
        ("rate_limit", "0/minute"),
        ("rate_limit", "many/minute"),
        ("port", 0),
        ("data_retention_days", -1),
        ("data_retention_days", 24_801),  # more seconds than MongoDB can count
        ("ledger_retention_days", 24_801),
        ("rollup_retention_days", 24_801),
        ("rollup_retention_days", 89),  # shorter than events are kept
        ("rollup_interval", 0),
        ("rollup_interval", 3_601),
        ("impression_cooldown", -1),
        ("workers", 0),
        ("database", "a b"),
        ("currency", "euro"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(name: str, value: object) -> None:
    """The error names the setting."""
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, **{name: value})
    assert refused.value.errors()[0]["loc"][0] == name


def test_rollups_are_not_kept_shorter_than_events() -> None:
    """The message says what would be right; the shortest that is, and for ever, are."""
    with pytest.raises(ValidationError, match="at least 30, the days of FOOTFALL_DATA_RETENTION"):
        Settings(_env_file=None, data_retention_days=30, rollup_retention_days=29)
    with pytest.raises(ValidationError, match=r"must be 0, because .* for ever"):
        Settings(_env_file=None, data_retention_days=0, rollup_retention_days=9_999)
    for days in (30, 0):
        made = Settings(_env_file=None, data_retention_days=30, rollup_retention_days=days)
        assert made.rollup_retention_days == days


def test_demo_keys_count_only_together() -> None:
    """Two of the three demo keys are not enough."""
    some = Settings(_env_file=None, demo_write_key="w" * 10, demo_read_key="r" * 10)
    assert some.demo_keys is None
    assert "w" * 10 not in repr(some)


def test_an_owners_key_cannot_be_short() -> None:
    """The message says how long it has to be, and nothing shows the key itself."""
    with pytest.raises(ValidationError, match="at least 24 characters") as refused:
        Settings(_env_file=None, owner_key="s" * 23)
    assert refused.value.errors()[0]["loc"] == ("owner_key",)
    made = Settings(_env_file=None, owner_key="s" * 24)
    assert "sss" not in f"{refused.value}{made!r}"
