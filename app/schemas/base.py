"""What the documents share."""

from beanie import Document


class TextIdDocument(Document):
    """A document whose `_id` is a text of ours, not an ObjectId."""

    id: str  # type: ignore[assignment]

    # Beanie's own parses a field when it is first read. That is not used here, and would make every
    # look at a field take ten times as long.
    __getattribute__ = object.__getattribute__
