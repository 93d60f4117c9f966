"""`footfall scrub`."""

from typing import TYPE_CHECKING

from app.commands.running import console, run_with_services
from app.core.auth import INSTANCE
from app.core.config import Settings
from app.core.embedded import EmbeddedMongo
from app.core.errors import FootfallError

if TYPE_CHECKING:
    from app.wiring import Services


class NotEmbeddedError(FootfallError):
    """The data is in a MongoDB of the operator's."""


def scrub() -> None:
    """Write the embedded MongoDB's data into new files, so that no byte of what was deleted is left.

    A database keeps deleted data for a while: in the free space of its files, its journal, and its log
    for replication. The server must be stopped, and there must be room for the data a second time.
    """
    settings = Settings()
    if settings.mongo_url is not None:
        raise NotEmbeddedError(
            "FOOTFALL_MONGO_URL is set, and this is for the embedded MongoDB. docs/privacy.md says how a "
            "replica set gets new files: its members are synchronised anew, one after the other."
        )

    async def work(services: "Services") -> None:
        async with services.admin_log.recorded(INSTANCE, "scrub"):
            pass

    def record(url: str) -> None:
        """In the new data, so that they are never used without it."""
        run_with_services(settings.model_copy(update={"mongo_url": url}), work)

    with console.status("Writing the data anew"):
        EmbeddedMongo(settings.data_dir, settings.mongod).rewrite(before_exchange=record)
    console.print("The data has new files, and the old ones are deleted.")
