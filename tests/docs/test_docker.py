"""What can be said of the Docker files without a Docker engine."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.config import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
API, MONGO = COMPOSE["services"]["api"], COMPOSE["services"]["mongo"]
SETTINGS = {f"FOOTFALL_{name.upper()}" for name in Settings.model_fields}


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile and their arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def last_stage() -> list[tuple[str, str]]:
    """The instructions of the stage that becomes the image."""
    instructions = dockerfile()
    starts = [place for place, (name, _) in enumerate(instructions) if name == "FROM"]
    return instructions[starts[-1] :]


def test_mongodb_is_a_replica_set_that_keeps_its_data() -> None:
    """The health check makes the replica set that the command and the API's address name."""
    assert MONGO["image"] == "mongo:8"
    assert MONGO["command"][MONGO["command"].index("--replSet") + 1] == "rs0"
    check = MONGO["healthcheck"]["test"][-1]
    assert '_id: "rs0"' in check
    assert 'host: "mongo:27017"' in check
    assert "isWritablePrimary" in check
    assert "\n" not in check
    assert API["environment"]["FOOTFALL_MONGO_URL"] == "mongodb://mongo:27017/?replicaSet=rs0"
    volume, _, folder = MONGO["volumes"][0].partition(":")
    assert (volume in COMPOSE["volumes"], folder) == (True, "/data/db")


def test_salts_are_in_a_volume_of_their_own() -> None:
    """Which the user of the image may write to, and which is not the database's."""
    volume, _, folder = API["volumes"][0].partition(":")
    assert API["environment"]["FOOTFALL_SALT_DIR"] == folder
    assert volume in COMPOSE["volumes"]
    assert volume not in str(MONGO)
    [made] = [
        arguments for name, arguments in last_stage() if name == "RUN" and folder in arguments
    ]
    [user] = [arguments for name, arguments in last_stage() if "useradd" in arguments]
    owner = re.search(r"--owner=(\w+)", made)
    assert owner is not None
    assert user.split()[-1] == owner[1]
    assert f"--uid {dict(last_stage())['USER']}" in user


def test_the_api_waits_for_mongodb_and_is_asked_whether_it_is_ready() -> None:
    """Both services are checked, and start again by themselves."""
    assert API["depends_on"] == {"mongo": {"condition": "service_healthy"}}
    assert "/health/ready" in API["healthcheck"]["test"][-1]
    assert {API["restart"], MONGO["restart"]} == {"unless-stopped"}


def test_nothing_is_published_to_the_world() -> None:
    """The API is published on this machine alone by default, MongoDB not at all."""
    assert "ports" not in MONGO
    [port] = API["ports"]
    assert port.startswith("${FOOTFALL_HOST:-127.0.0.1}:")


def test_the_names_in_compose_are_settings() -> None:
    """A setting that was renamed is renamed here too."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(re.findall(r"FOOTFALL_\w+", text)) <= SETTINGS
    assert set(API["environment"]) <= SETTINGS


def test_what_the_dockerfile_copies_is_there_and_sent_to_the_builder() -> None:
    """Every COPY from this folder names something that exists and that .dockerignore lets through."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    sent = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    for name, arguments in dockerfile():
        if name != "COPY" or "--from=" in arguments:
            continue
        *sources, _ = shlex.split(arguments)
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(source.rstrip("/") == s or source.startswith(f"{s}/") for s in sent), source


def test_the_image_does_not_run_as_root_and_brings_no_build_tools() -> None:
    """The last stage takes what the others made, adds a user and installs nothing."""
    names = dict(last_stage())
    assert names["FROM"].startswith("python:3.12-slim")
    assert names["USER"] not in ("root", "0")
    assert "/health/ready" in names["HEALTHCHECK"]
    assert names["CMD"] == '["footfall", "serve"]'
    for name, arguments in last_stage():
        assert not (name == "RUN" and re.search(r"apt|pip|npm", arguments)), arguments
        assert name != "COPY" or "--from=" in arguments


def test_the_image_leaves_the_embedded_mongodb_out() -> None:
    """The wheel is installed without the extra that brings a mongod."""
    installs = [a for n, a in dockerfile() if n == "RUN" and re.search(r"pip\b.* install ", a)]
    assert len(installs) == 1
    assert "embedded" not in installs[0]


@pytest.mark.parametrize("setting", sorted(re.findall(r"FOOTFALL_\w+", str(dockerfile()))))
def test_the_names_in_the_dockerfile_are_settings(setting: str) -> None:
    """What the image presets is a setting that exists."""
    assert setting in SETTINGS
