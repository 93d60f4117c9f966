"""What analysts send about sessions."""

import strawberry

from app.core.names import camel_case
from app.core.texts import MAX_TEXT
from app.modules.analytics.sessions.query import Narrowing


def _condition(description: str) -> str | None:
    found: str | None = strawberry.field(default=None, description=description)
    return found


@strawberry.input(
    description="Which sessions count: those for which all of it holds. Texts are compared as a "
    f"whole and have at most {MAX_TEXT} characters."
)
class SessionFilter:
    visitor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Sessions of this visitor."
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="Sessions of this user of the caller's."
    )
    entry_page: str | None = _condition("Sessions that began on this page.")
    exit_page: str | None = _condition("Sessions that ended on this page.")
    referrer: str | None = _condition("Sessions that came from this domain.")
    utm_source: str | None = _condition("Sessions with this utm_source.")
    utm_medium: str | None = _condition("Sessions with this utm_medium.")
    utm_campaign: str | None = _condition("Sessions with this utm_campaign.")
    utm_content: str | None = _condition("Sessions with this utm_content.")
    utm_term: str | None = _condition("Sessions with this utm_term.")
    device: str | None = _condition('Sessions on this kind of device, such as "mobile".')
    browser: str | None = _condition("Sessions with this browser family.")
    os: str | None = _condition("Sessions with this operating system family.")

    def narrowing(self) -> Narrowing:
        """The conditions that were given. Raises BadInputError."""
        return narrowing(vars(self), "filter.")


# The arguments that are a field of a session under another name.
_FIELDS = {"visitor_id": "visitor", "user_id": "user"}


def narrowing(given: dict[str, str | None], prefix: str = "") -> Narrowing:
    """Conditions by the argument's name in Python's spelling; None: no condition. Raises BadInputError."""
    found = {name: value for name, value in given.items() if value is not None}
    fields = {name: _FIELDS.get(name, name) for name in found}
    return Narrowing(
        {fields[name]: value for name, value in found.items()},
        {fields[name]: prefix + camel_case(name) for name in found},
    )
