"""Pages of a list that is turned page by page."""

import strawberry


@strawberry.type(description="Which page of a list this is.")
class Pagination:
    page: int = strawberry.field(description="The page, from 1.")
    limit: int = strawberry.field(description="How many there are on a page at most.")
    total: int = strawberry.field(description="How many there are on all pages.")
    total_pages: int = strawberry.field(description="How many pages there are.")
    has_next: bool = strawberry.field(description="Whether there is a page after this one.")
    has_prev: bool = strawberry.field(description="Whether there is a page before this one.")

    @classmethod
    def of(cls, page: int, limit: int, total: int) -> "Pagination":
        pages = -(-total // limit)
        return cls(
            page=page,
            limit=limit,
            total=total,
            total_pages=pages,
            has_next=page < pages,
            has_prev=page > 1,
        )
