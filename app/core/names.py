"""Names as GraphQL writes them."""


def camel_case(name: str) -> str:
    """`page_views` as `pageViews`."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
