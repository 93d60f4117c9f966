"""Every setting of Footfall, with its default and what it does. docs/settings.md is checked against this."""

import os
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.core.origins import parse_origins
from app.core.rates import RATE_FORMAT, is_rate

SECONDS_PER_DAY = 86_400
# MongoDB counts in 31 bits after how many seconds it deletes; some days are left for margins.
MOST_DAYS = 24_800

SHORTEST_OWNER_KEY = 24

# Names that a NestJS deployment already sets: the setting each stands for, and what to divide it by
# (milliseconds become seconds). A FOOTFALL_ name wins over these.
NESTJS_NAMES: dict[str, tuple[str, int]] = {
    "ANALYTICS_RATE_LIMIT_WINDOW": ("rate_limit_window", 1000),
    "ANALYTICS_IMPRESSION_COOLDOWN": ("impression_cooldown", 1000),
    "ANALYTICS_CLICK_COOLDOWN": ("click_cooldown", 1000),
    "ANALYTICS_CLEANUP_INTERVAL": ("cleanup_interval", 1000),
    "ANALYTICS_DATA_RETENTION_DAYS": ("data_retention_days", 1),
}


class Settings(BaseSettings):
    """Read from the environment or a file `.env`, each name with the prefix FOOTFALL_."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTFALL_",
        env_file=".env",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # some are secrets
    )

    mongo_url: str | None = Field(
        None,
        description="MongoDB to use, a replica set. Unset: an embedded MongoDB is started.",
    )
    database: str = Field(
        "footfall",
        pattern=r"^[A-Za-z0-9_-]{1,38}$",
        description="Name of the database.",
    )
    data_dir: Path = Field(
        Path("data"),
        description="Folder of the embedded MongoDB, of its salts and of the demonstration keys.",
    )
    salt_dir: Path | None = Field(
        None,
        description="Folder of the salts with which visitors without an id are told apart; all processes "
        "must share it. Unset: `salts` in FOOTFALL_DATA_DIR for the embedded MongoDB; for another one the "
        "salts are in the database, whose own log keeps them longer (docs/privacy.md).",
    )
    mongod: Path | None = Field(
        None,
        description="The mongod program for the embedded MongoDB. "
        "Unset: the one that was installed with Footfall, else the one on PATH.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="API processes.")
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies in front, with commas between, whose "
        "X-Forwarded-For is believed. Empty: nobody's is.",
    )
    cors_origins: str = Field(
        "*",
        description='Origins that may call the API from a browser, with commas between; "*" for any.',
    )

    impression_cooldown: float = Field(
        30,
        ge=0,
        le=SECONDS_PER_DAY,
        description="Seconds in which a second impression or view of the same item in the same "
        "session is a repeat. 0: every one counts.",
    )
    click_cooldown: float = Field(
        5, ge=0, le=SECONDS_PER_DAY, description="The same for clicks, in seconds."
    )
    rate_limit: str = Field(
        "6000/minute",
        description='Tracking events that one address may send, as "6000/minute"; "off" for no limit.',
    )
    rate_limit_window: float | None = Field(
        None,
        gt=0,
        le=SECONDS_PER_DAY,
        description="Seconds that the number in FOOTFALL_RATE_LIMIT is for, instead of the unit "
        "written there.",
    )
    rate_limit_per_key: str = Field(
        "off",
        description="The same for one API key: a number and a unit, or off. A key may have a rate of "
        "its own instead.",
    )
    rate_limit_per_session: str = Field(
        "off", description="The same for one session id that callers name."
    )
    query_rate_limit: str = Field(
        "off",
        description="What one API key may ask besides tracking: root fields of queries, subscriptions and an "
        "admin's mutations, and the schema; a number and a unit, or off. A key may have a rate of its own "
        "instead.",
    )
    clock_tolerance: float = Field(
        300,
        ge=0,
        le=SECONDS_PER_DAY,
        description="Seconds that an event may lie in the future before it is rejected with TIMESTAMP.",
    )

    data_retention_days: int = Field(
        90,
        ge=0,
        le=MOST_DAYS,
        description="Days that events are kept, by the time they happened, at most 24800. "
        "0: for ever.",
    )
    ledger_retention_days: int = Field(
        30,
        ge=1,
        le=MOST_DAYS,
        description="Days that the reasons of repeated and rejected events are kept, at most 24800.",
    )
    admin_log_retention_days: int = Field(
        365,
        ge=1,
        le=MOST_DAYS,
        description="Days that the log of admin actions is kept, at most 24800.",
    )
    rollup_interval: float = Field(
        5,
        gt=0,
        le=3600,
        description="Seconds between two looks for something to roll up, at most 3600.",
    )
    rollup_retention_days: int = Field(
        0,
        ge=0,
        le=MOST_DAYS,
        description="Days that rollups stay, at most 24800, and not fewer than events are kept. "
        "0: for ever.",
    )
    cleanup_interval: float = Field(
        60,
        gt=0,
        le=SECONDS_PER_DAY,
        description="Seconds between two sweeps of expired entries out of the in-memory caches.",
    )
    report_timeout: float = Field(
        30,
        gt=0,
        le=100,
        description="Seconds that the database may take for one report, at most 100.",
    )
    report_cache_size: int = Field(
        20_000,
        ge=0,
        le=10_000_000,
        description="Rows of reports of finished periods that a process keeps, to answer with them again "
        "while nothing inside has changed. A row takes about 1 KB. 0: none.",
    )
    report_cache_seconds: float = Field(
        600,
        ge=0,
        le=SECONDS_PER_DAY,
        description="Seconds that such a report is kept at most. 0: none is.",
    )
    max_concurrency: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="Requests that a process answers at once, operations on WebSockets among them; more are "
        "answered 503 with Retry-After, and on a WebSocket UNAVAILABLE.",
    )
    max_sockets: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="WebSockets that a process keeps open at once; more are refused with 503.",
    )
    request_timeout: float = Field(
        15,
        gt=0,
        le=300,
        description="Seconds in which a request must have arrived whole, headers and body; slower "
        "clients are cut off.",
    )
    max_query_cost: int = Field(
        1_000_000,
        ge=1_000,
        description="Values that the answer to one query may have at most, by the sizes that its lists "
        "may have (docs/limits.md).",
    )
    currency: str = Field(
        "EUR",
        pattern=r"^[A-Z]{3}$",
        description="Currency of a new site (ISO 4217): of conversions and items that name none.",
    )

    owner_key: SecretStr | None = Field(
        None,
        description="Key of the instance's owner, who manages all sites, at least 24 characters. "
        "Unset: `make run` makes one and prints it, as `footfall sites owner-key` does.",
    )
    geo_database: Path | None = Field(
        None,
        description="MaxMind-format file (.mmdb) from which the country and region of browsers' "
        "addresses are read. Unset: they are not known.",
    )

    demo_write_key: SecretStr | None = Field(
        None, description="Write key of the site demo. Unset: `make run` makes one and prints it."
    )
    demo_read_key: SecretStr | None = Field(None, description="Read key of the site demo.")
    demo_admin_key: SecretStr | None = Field(None, description="Admin key of the site demo.")
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token for /metrics (Prometheus). Unset: there are no metrics."
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="How much is logged."
    )

    @field_validator(
        "rate_limit", "rate_limit_per_key", "rate_limit_per_session", "query_rate_limit"
    )
    @classmethod
    def _rate_limit_is_readable(cls, value: str) -> str:
        if not is_rate(value):
            raise ValueError(RATE_FORMAT)
        return value

    @field_validator("owner_key")
    @classmethod
    def _owner_key_cannot_be_guessed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < SHORTEST_OWNER_KEY:
            raise ValueError(
                f"must have at least {SHORTEST_OWNER_KEY} characters, random ones such as "
                "`openssl rand -hex 24` prints"
            )
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_readable(cls, value: str) -> str:
        parse_origins(value)
        return value

    @field_validator("rollup_retention_days")
    @classmethod
    def _rollups_outlive_events(cls, value: int, info: ValidationInfo) -> int:
        events = info.data.get("data_retention_days")
        if not value or events is None:  # None: it is refused itself
            return value
        if not events:
            raise ValueError(
                "must be 0, because FOOTFALL_DATA_RETENTION_DAYS keeps events for ever"
            )
        if value < events:
            raise ValueError(
                f"must be 0 or at least {events}, the days of FOOTFALL_DATA_RETENTION_DAYS"
            )
        return value

    @property
    def demo_keys(self) -> dict[str, str] | None:
        """The three demonstration keys by scope, where all three are set."""
        keys = {
            "write": self.demo_write_key,
            "read": self.demo_read_key,
            "admin": self.demo_admin_key,
        }
        if any(key is None for key in keys.values()):
            return None
        return {scope: key.get_secret_value() for scope, key in keys.items() if key}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        nestjs = InitSettingsSource(settings_cls, init_kwargs=_nestjs_values())
        return init_settings, env_settings, dotenv_settings, file_secret_settings, nestjs


def _nestjs_values() -> dict[str, Any]:
    """The settings that the NestJS names in the environment or .env stand for."""
    found = {**dotenv_values(".env"), **os.environ}
    values: dict[str, Any] = {}
    for name, (setting, divisor) in NESTJS_NAMES.items():
        text = found.get(name)
        if not text:
            continue
        try:
            number = float(text)
        except ValueError:
            values[setting] = text  # pydantic says what is wrong with it
        else:
            values[setting] = number / divisor
    return values
