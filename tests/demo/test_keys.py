"""The keys of the site demo: made once, kept in a file, working at every start."""

from pathlib import Path
from typing import Any

import pytest

from app.core.auth import SITE_SCOPES, Scope, hash_key
from app.core.config import Settings
from app.demo.keys import FILE_NAME, OWNER_FILE_NAME, ensure_keys, ensure_owner_key
from app.schemas.api_key import PUBLIC_ID_LENGTH
from tests.conftest import KEYS, NOW, OWNER_KEY


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings without demo keys, with a data folder that is not there yet."""
    return Settings(_env_file=None, data_dir=tmp_path / "data")


async def working(api: Any, keys: dict[Scope, str]) -> bool:
    """Whether each of the keys is known as one of its scope of the site demo."""
    for scope, key in keys.items():
        principal = await api.services.keys.authenticate(key)
        if principal is None or (principal.site, principal.scope) != ("demo", scope):
            return False
    return set(keys) == set(SITE_SCOPES)


async def test_keys_are_made_once_and_kept(api: Any, settings: Settings) -> None:
    """In a file that nobody else can read; the second start has the same."""
    keys = await ensure_keys(api.services.keys, settings)
    assert await working(api, keys)
    file = settings.data_dir / FILE_NAME
    assert file.stat().st_mode & 0o777 == 0o600
    assert f"FOOTFALL_DEMO_READ_KEY={keys[Scope.READ]}" in file.read_text().splitlines()
    assert await ensure_keys(api.services.keys, settings) == keys


async def test_another_database_learns_the_kept_keys(make_api: Any, settings: Settings) -> None:
    """Links and scripts go on working when the data was thrown away."""
    api = await make_api()
    keys = await ensure_keys(api.services.keys, settings)
    await api.database["api_keys"].delete_many({})
    api.services.keys.forget()
    assert await ensure_keys(api.services.keys, settings) == keys
    assert await working(api, keys)


@pytest.mark.parametrize("scope", SITE_SCOPES)
async def test_a_revoked_key_is_not_printed_again(
    api: Any, settings: Settings, scope: Scope
) -> None:
    """Where one was revoked, all three are new, and the old ones work no longer."""
    old = await ensure_keys(api.services.keys, settings)
    await api.services.keys.revoke_key("demo", hash_key(old[scope])[:PUBLIC_ID_LENGTH])
    new = await ensure_keys(api.services.keys, settings)
    assert await working(api, new)
    assert not set(old.values()) & set(new.values())
    api.services.keys.forget()
    for key in old.values():
        assert await api.services.keys.authenticate(key) is None


async def test_a_file_that_lacks_a_key_is_made_anew(api: Any, settings: Settings) -> None:
    """Half a file is no file."""
    await ensure_keys(api.services.keys, settings)
    file = settings.data_dir / FILE_NAME
    file.write_text(file.read_text().splitlines()[0])
    keys = await ensure_keys(api.services.keys, settings)
    assert await working(api, keys)
    assert len(file.read_text().splitlines()) == 3


async def test_keys_of_the_settings_win(api: Any, tmp_path: Path) -> None:
    """They are used as they are, and no file is written."""
    settings = api.settings.model_copy(update={"data_dir": tmp_path})
    assert await ensure_keys(api.services.keys, settings) == KEYS
    assert not (tmp_path / FILE_NAME).exists()


async def test_the_owners_key_is_made_once_and_kept(api: Any, settings: Settings) -> None:
    """In a file of its own that nobody else can read; a database that does not know it learns it."""
    keys = api.services.keys
    made = await ensure_owner_key(keys, settings)
    file = settings.data_dir / OWNER_FILE_NAME
    assert file.read_text() == f"FOOTFALL_OWNER_KEY={made}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    await api.database["api_keys"].delete_many({})
    keys.forget()
    assert await ensure_owner_key(keys, settings) == made
    principal = await keys.authenticate(made)
    assert principal is not None
    assert principal.is_owner


async def test_a_revoked_owners_key_is_not_printed_again(api: Any, settings: Settings) -> None:
    """Another one is made, and the old one stays revoked."""
    keys = api.services.keys
    old = await ensure_owner_key(keys, settings)
    await api.database["api_keys"].update_one(
        {"scope": "owner", "label": "demo"}, {"$set": {"revoked_at": NOW}}
    )
    keys.forget()
    new = await ensure_owner_key(keys, settings)
    assert new != old
    assert await keys.authenticate(old) is None
    assert await keys.authenticate(new) is not None


async def test_the_owners_key_of_the_settings_wins(api: Any, tmp_path: Path) -> None:
    """It is used as it is, and no file is written."""
    settings = api.settings.model_copy(update={"data_dir": tmp_path})
    assert await ensure_owner_key(api.services.keys, settings) == OWNER_KEY
    assert not (tmp_path / OWNER_FILE_NAME).exists()
