"""The keys of the site demo and the owner's: those of the settings, else ones that are made once and
kept in files."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from app.core.auth import SITE_SCOPES, Scope, make_key
from app.core.config import Settings
from app.main import DEMO_SITE
from app.modules.keys.service import DEMO_LABEL, KeyService

FILE_NAME = "demo-keys.env"
OWNER_FILE_NAME = "owner-key.env"
OWNER_NAME = "FOOTFALL_OWNER_KEY"

Keys = dict[Scope, str]


def key_file(settings: Settings) -> Path:
    """Where keys that were made are kept: beside the data that they open."""
    return settings.data_dir / FILE_NAME


async def ensure_keys(service: KeyService, settings: Settings) -> Keys:
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
            await service.ensure_key(DEMO_SITE, scope, key)
        if await _work(service, kept):
            return kept
    made = {new.scope: new.key for new in await service.replace_keys(DEMO_SITE, DEMO_LABEL)}
    _write(file, {_name(scope): key for scope, key in made.items()})
    return made


async def ensure_owner_key(service: KeyService, settings: Settings) -> str:
    """A working key of the instance's owner, the same at every start, in the same way."""
    if settings.owner_key is not None:
        return settings.owner_key.get_secret_value()
    file = settings.data_dir / OWNER_FILE_NAME
    kept = dotenv_values(file).get(OWNER_NAME) if file.is_file() else None
    if kept and await service.ensure_owner_key(kept, DEMO_LABEL):
        return kept
    made = make_key(Scope.OWNER)
    await service.ensure_owner_key(made, DEMO_LABEL)
    _write(file, {OWNER_NAME: made})
    return made


async def _work(service: KeyService, keys: Mapping[Scope, str]) -> bool:
    for scope, key in keys.items():
        principal = await service.authenticate(key)
        if principal is None or (principal.site, principal.scope) != (DEMO_SITE, scope):
            return False
    return True


def _read(file: Path) -> Keys | None:
    """The file's keys; None where there is no file or a key is missing in it."""
    values = dotenv_values(file) if file.is_file() else {}
    keys = {scope: values.get(_name(scope)) for scope in SITE_SCOPES}
    found = {scope: key for scope, key in keys.items() if key}
    return found if len(found) == len(keys) else None


def _write(file: Path, keys: Mapping[str, str]) -> None:
    """Whole or not at all, and for nobody else to read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.writelines(f"{name}={key}\n" for name, key in keys.items())
    beside.replace(file)


def _name(scope: Scope) -> str:
    return f"FOOTFALL_DEMO_{scope.name}_KEY"
