"""The enums of behaviour, as GraphQL has them."""

from enum import StrEnum

from app.core.enums import graphql_enum


class AttributionModel(StrEnum):
    """Which touches a conversion is credited to."""

    LAST_TOUCH = "LAST_TOUCH"
    LAST_CLICK = "LAST_CLICK"
    FIRST_CLICK = "FIRST_CLICK"
    LINEAR = "LINEAR"
    LAST_VIEW = "LAST_VIEW"


class PathDirection(StrEnum):
    """Which way paths are followed."""

    NEXT = "NEXT"
    PREVIOUS = "PREVIOUS"


graphql_enum(
    AttributionModel,
    "Which touches (clicks and views) before a conversion it is credited to.",
    {
        "LAST_TOUCH": "The last click in the click window; without one the last view in the view "
        "window.",
        "LAST_CLICK": "The last click in the click window.",
        "FIRST_CLICK": "The first click in the click window.",
        "LINEAR": "All clicks in the click window, in equal parts.",
        "LAST_VIEW": "The last view in the view window.",
    },
)
graphql_enum(
    PathDirection,
    "Which way paths are followed.",
    {
        "NEXT": "What sessions went on to.",
        "PREVIOUS": "What sessions came from.",
    },
)
