"""What the documents share."""

from beanie import Document


class TextIdDocument(Document):
    """A document whose `_id` is a text of ours, not an ObjectId."""

    id: str  # type: ignore[assignment]
