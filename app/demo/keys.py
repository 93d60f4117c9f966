"""The keys of the site demo: those of the settings, else ones that are made once and kept in a file."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from app.core.auth import Scope
from app.core.config import Settings
from app.main import DEMO_SITE
from app.modules.sites.service import DEMO_LABEL, SiteService

FILE_NAME = "demo-keys.env"

Keys = dict[Scope, str]


def key_file(settings: Settings) -> Path:
    """Where keys that were made are kept: beside the data that they open."""
    return settings.data_dir / FILE_NAME


async def ensure_keys(sites: SiteService, settings: Settings) -> Keys:
    """A working key of each scope for the site demo, the same at every start.

    The site must be there. Keys of the settings win (opening the services has stored them). A file
    whose keys the database does not know (it is a new one) keeps its keys; if one of them was
    revoked, all are made anew.
    """
    if settings.demo_keys is not None:
        return {Scope(scope): key for scope, key in settings.demo_keys.items()}
    file = key_file(settings)
    kept = _read(file)
    if kept is not None:
        for scope, key in kept.items():
            await sites.ensure_key(DEMO_SITE, scope, key)
        if await _work(sites, kept):
            return kept
    made = {new.scope: new.key for new in await sites.replace_keys(DEMO_SITE, DEMO_LABEL)}
    _write(file, made)
    return made


async def _work(sites: SiteService, keys: Mapping[Scope, str]) -> bool:
    for scope, key in keys.items():
        principal = await sites.authenticate(key)
        if principal is None or (principal.site, principal.scope) != (DEMO_SITE, scope):
            return False
    return True


def _read(file: Path) -> Keys | None:
    """The file's keys; None where there is no file or a key is missing in it."""
    values = dotenv_values(file) if file.is_file() else {}
    keys = {scope: values.get(_name(scope)) for scope in Scope}
    found = {scope: key for scope, key in keys.items() if key}
    return found if len(found) == len(keys) else None


def _write(file: Path, keys: Keys) -> None:
    """Whole or not at all, and for nobody else to read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.writelines(f"{_name(scope)}={key}\n" for scope, key in keys.items())
    beside.replace(file)


def _name(scope: Scope) -> str:
    return f"FOOTFALL_DEMO_{scope.name}_KEY"
