"""The enums of the catalogue, as GraphQL has them. Import them from here where GraphQL types use them."""

from app.core.enums import graphql_enum
from app.modules.items.search import ItemSortField, SortOrder
from app.schemas.item import ItemStatus

__all__ = ["ItemSortField", "ItemStatus", "SortOrder"]

graphql_enum(
    ItemStatus,
    "Where an item is in its life.",
    {
        "DRAFT": "Being prepared.",
        "ACTIVE": "On offer.",
        "PAUSED": "Not on offer for the moment.",
        "ENDED": "No longer on offer, and not sold.",
        "SOLD": "Sold.",
        "ARCHIVED": "Put away: left out of every list that does not ask for it.",
    },
)
graphql_enum(
    ItemSortField,
    "What items are sorted by. Where two are equal, their ids decide, in the same order.",
    {
        "CREATED_AT": "When the item was made.",
        "UPDATED_AT": "When the item was changed last.",
        "TITLE": "The title, without regard to upper and lower case.",
        "PRICE": "The price, as a number whatever the currency. Items without a price come last in "
        "either order.",
        "RELEVANCE": "How well the item fits the search, the default with a search and possible only "
        "with one. A word in the title weighs most, then one in the category.",
        "POPULARITY": "Impressions in the last 30 days. Items without any come last in either order.",
    },
)
graphql_enum(
    SortOrder,
    "Which way to sort.",
    {
        "ASC": "Smallest, earliest, A or least relevant first.",
        "DESC": "Largest, latest, Z or most relevant first.",
    },
)
