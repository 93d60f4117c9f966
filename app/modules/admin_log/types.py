"""The GraphQL types of the log of admin actions."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.core.described import described
from app.core.enums import graphql_enum
from app.core.pagination import Pagination
from app.modules.admin_log.service import ActionPage, ActionResult
from app.schemas import AdminAction as AdminActionDocument

graphql_enum(
    ActionResult,
    "What became of an admin action.",
    {
        "STARTED": "It was begun and its end is not known: it is under way, or the server was stopped.",
        "DONE": "It was done.",
        "REFUSED": "It was refused; `code` says why, and nothing was changed.",
        "FAILED": "It failed by a mistake of ours or an outage; part of it may be done.",
    },
)


@strawberry.type(description="A setting that an admin action changed.")
class AdminActionChange:
    name: str = described("The setting's name, as in the input of the mutation.")
    old: JSON | None = described("What it was, where it may be shown.")
    new: JSON | None = described("What it was changed to, where it may be shown.")
    is_shown: bool = described(
        "Whether old and new are shown. They are not where they name addresses, or are long."
    )


@strawberry.type(description="One admin action: who did what, when, and what became of it.")
class AdminAction:
    id: strawberry.ID = described("Its id.")
    at: datetime = described("When it was begun.")
    action: str = described(
        "What was done: the name of the mutation, from the command line as well; or of what only the "
        'command line does, such as "importEvents" (docs/keys.md).'
    )
    key_id: strawberry.ID | None = described(
        "The id of the key; null for the command line and the settings."
    )
    key_label: str | None = described(
        "The key's label then; null for the command line and the settings."
    )
    by_owner: bool = described("Whether it was the instance's owner.")
    target: str | None = described(
        "What it was done to, by its id, where it has one. Of a visitor or user only a hash, which the "
        "action's id salts (docs/keys.md)."
    )
    changes: list[AdminActionChange] = described("The settings that it changed.")
    result: ActionResult = described("What became of it.")
    code: str | None = described("The code of the error, where there was one.")

    @classmethod
    def of(cls, document: AdminActionDocument) -> "AdminAction":
        return cls(
            id=strawberry.ID(document.id),
            at=document.at,
            action=document.action,
            key_id=None if document.key is None else strawberry.ID(document.key),
            key_label=document.label,
            by_owner=document.by_owner,
            target=document.target,
            changes=[
                AdminActionChange(
                    name=change["name"],
                    old=change.get("old"),
                    new=change.get("new"),
                    is_shown="new" in change,
                )
                for change in document.changes
            ],
            result=ActionResult(document.result),
            code=document.code,
        )


@strawberry.type(description="One page of admin actions.")
class AdminActionPage:
    data: list[AdminAction] = described("The actions, newest first.")
    pagination: Pagination = described("Which page this is.")

    @classmethod
    def of(cls, found: ActionPage) -> "AdminActionPage":
        return cls(
            data=[AdminAction.of(document) for document in found.actions],
            pagination=Pagination.of(found.page, found.limit, found.total),
        )
