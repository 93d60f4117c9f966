"""`footfall scrub`."""

from app.commands.running import console
from app.core.config import Settings
from app.core.embedded import EmbeddedMongo
from app.core.errors import FootfallError


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
    with console.status("Writing the data anew"):
        EmbeddedMongo(settings.data_dir, settings.mongod).rewrite()
    console.print("The data has new files, and the old ones are deleted.")
