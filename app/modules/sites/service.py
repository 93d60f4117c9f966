"""Sites and their settings."""

from dataclasses import replace
from typing import Any

from cachetools import TTLCache

from app.core.admin_actions import note_change, note_target
from app.core.auth import INSTANCE, Principal, Scope
from app.core.clock import Clock
from app.core.config import Settings
from app.core.errors import BadInputError, ConflictError, ForbiddenError, NotFoundError
from app.core.lookups import Lookups
from app.core.ports import check_in_use
from app.modules.sites.settings import check_id, check_setting
from app.repositories.sites import SiteRepository
from app.schemas import Site

SITE_CACHE_SECONDS = 5  # a setting counts everywhere after this long
SITE_HEADER = "X-Footfall-Site"


class SiteService:
    """Makes sites, and knows their settings."""

    def __init__(self, sites: SiteRepository, settings: Settings, clock: Clock) -> None:
        self._sites = sites
        self._settings = settings
        self._clock = clock
        self._known_sites: TTLCache[str, Site] = TTLCache(1_000, SITE_CACHE_SECONDS)
        self._lookups = Lookups(self._known_sites, self._stored)
        self._known_origins: TTLCache[str, list[str]] = TTLCache(1, SITE_CACHE_SECONDS)

    async def get(self, site: str) -> Site:
        """The site of this name. Raises NotFoundError."""
        return await self._lookups.get(site)

    async def acting_on(self, principal: Principal | None, named: str | None) -> Principal | None:
        """The principal on the site that the request names, or with the reason why it may not be there.

        The owner acts on whichever site is named; the key of a site on its own alone.
        """
        if principal is None or principal.refusal is not None:
            return principal
        if not principal.is_owner:
            if named in (None, "", principal.site):
                return principal
            refusal = ForbiddenError("The key given is not of the site that the request names.")
            return replace(principal, refusal=refusal)
        if not named:
            missing = BadInputError(
                f"Name the site that this is for with the header {SITE_HEADER}."
            )
            return replace(principal, site=INSTANCE, refusal=missing)
        try:
            await self.get(named)
        except NotFoundError as unknown:
            return replace(principal, site=INSTANCE, refusal=unknown)
        return replace(principal, site=named, scope=Scope.ADMIN)

    async def all(self, *, archived: bool) -> list[Site]:
        """Every site by its short name, those that are archived only where asked for."""
        return await self._sites.all(archived=archived)

    async def allowed_origins(self) -> list[str]:
        """Every origin that a site allows, also an archived one: its reports are still asked for."""
        known = self._known_origins.get("all")
        if known is None:
            sites = await self._sites.all(archived=True)
            known = sorted({origin for site in sites for origin in site.allowed_origins})
            self._known_origins["all"] = known
        return known

    async def ensure_site(self, site: str, name: str | None = None) -> bool:
        """Make the site if there is none; whether it is new."""
        check_id(site, "site")
        return await self._sites.ensure(self._new(site, {"name": name} if name else {}))

    async def create(self, site: str, settings: dict[str, Any]) -> Site:
        """A new site, with these settings. Raises BadInputError and ConflictError."""
        check_id(site, "input.id")
        new = self._new(site, self._checked(settings))
        if not await self._sites.ensure(new):
            raise ConflictError("There is a site of this id, in use or archived.", "input.id")
        note_target(site, site)
        for name in settings:
            note_change(name, None, getattr(new, name))
        return new

    async def archive(self, site: str) -> Site:
        """Take in and change nothing more. Seen in every process within SITE_CACHE_SECONDS."""
        found = await self._stored(site)
        if found.archived_at is not None:
            note_target(site, site)
            return found
        return await self._change(found, {"archived_at": self._clock.now()})

    async def restore(self, site: str) -> Site:
        """Use an archived site again, as it was."""
        return await self._change(await self._stored(site), {"archived_at": None})

    async def update(self, site: str, changes: dict[str, Any]) -> Site:
        """Change settings of a site. Other processes see it within SITE_CACHE_SECONDS.

        Raises BadInputError, naming `input.FIELD`, and then nothing has changed. An archived site is not
        changed: ForbiddenError.
        """
        checked = self._checked(changes)
        stored = await self._stored(site)
        check_in_use(stored)
        return await self._change(stored, checked)

    async def mark_demo_filled(self, site: str) -> None:
        await self._sites.mark_demo_filled(site, self._clock.now())
        self._lookups.forget(site)

    def sweep(self) -> None:
        """Drop what has expired from the caches."""
        self._known_sites.expire()

    def _new(self, site: str, settings: dict[str, Any]) -> Site:
        defaults = {"name": site, "currency": self._settings.currency}
        return Site(id=site, created_at=self._clock.now(), **{**defaults, **settings})

    def _checked(self, changes: dict[str, Any]) -> dict[str, Any]:
        checked = {name: check_setting(name, value) for name, value in changes.items()}
        most = self._settings.data_retention_days
        if most and any(days > most for days in checked.get("retention", {}).values()):
            raise BadInputError(
                f"must not keep events longer than the instance, {most} days", "input.retention"
            )
        return checked

    async def _stored(self, site: str) -> Site:
        """The site as the database has it now. Raises NotFoundError."""
        found = await self._sites.get(site)
        if found is None:
            raise NotFoundError("There is no site of this name.", "site")
        return found

    async def _change(self, site: Site, changes: dict[str, Any]) -> Site:
        note_target(site.id, site.id)
        for name, value in changes.items():
            note_change(name, getattr(site, name), value)
        changed = await self._sites.update(site.id, changes) or site
        self._lookups.forget(site.id)
        self._known_sites[site.id] = changed
        return changed
