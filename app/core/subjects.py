"""Whose data is exported or erased."""

from dataclasses import dataclass
from enum import StrEnum


class SubjectKind(StrEnum):
    """By what a person is named. The value is the field of stored documents that has it."""

    VISITOR = "visitor"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Subject:
    """A visitor or a user of one site, by the id that events carry."""

    kind: SubjectKind
    id: str
