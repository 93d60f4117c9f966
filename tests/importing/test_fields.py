"""Values of NDJSON are read exactly as the API reads them: GraphQL itself is the oracle."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, Undefined, coerce_input_value
from hypothesis import given
from hypothesis import strategies as st

from app.api import build_schema
from app.importing.events import EVENT_FIELDS
from app.importing.fields import Convert, UnreadableValueError

SCHEMA = build_schema()
EVENT_INPUT: GraphQLInputObjectType = SCHEMA._schema.type_map["EventInput"]  # type: ignore[assignment]
NAMES = sorted(EVENT_INPUT.fields)

json_values = st.one_of(
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.datetimes().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(["IMPRESSION", "click", "2026-06-10T10:00:00Z", "12.50", "true", ""]),
    st.lists(st.integers(), max_size=2),
    st.fixed_dictionaries(
        {}, optional={"x": st.floats(), "y": st.integers(), "top": st.integers()}
    ),
    st.fixed_dictionaries({"top": st.floats(-9, 9), "left": st.one_of(st.none(), st.integers())}),
)


def test_every_field_of_the_api_can_be_imported() -> None:
    """A field that is added to the API is there without a line of code here."""
    assert all(EVENT_FIELDS.get(name) for name in NAMES)


@given(st.sampled_from(NAMES), json_values)
def test_json_values_are_read_as_graphql_reads_them(name: str, value: Any) -> None:
    """What GraphQL takes is taken and means the same; what it refuses is refused."""
    field = EVENT_FIELDS.get(name)
    assert field is not None
    expected = coerce_input_value(value, EVENT_INPUT.fields[name].type)
    try:
        read = field.from_json(value)
    except UnreadableValueError:
        assert expected is Undefined
    else:
        assert read == expected


@given(st.sampled_from(NAMES), st.text(min_size=8, max_size=30))
def test_what_is_refused_is_never_repeated(name: str, text: str) -> None:
    """Neither as JSON nor as a cell of CSV."""
    field = EVENT_FIELDS.get(name)
    assert field is not None
    assert text not in _complaint(field.from_json, text)
    assert text not in _complaint(field.from_text, text)


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("analytics", ["analytics"]),
        ("analytics, marketing,", ["analytics", "marketing"]),
        (' ["a, b", "c"]', ["a, b", "c"]),
        ("[]", []),
    ],
)
def test_a_cell_may_hold_several_texts(cell: str, texts: list[str]) -> None:
    """With commas between, or as JSON."""
    field = EVENT_FIELDS.get("consentPurposes")
    assert field is not None
    assert field.from_text(cell) == texts


@pytest.mark.parametrize("cell", ["[1]", '["a"', "[null]"])
def test_a_cell_that_is_no_list_of_texts_is_refused(cell: str) -> None:
    """Where it begins as JSON it has to be a list of texts."""
    field = EVENT_FIELDS.get("consentPurposes")
    assert field is not None
    assert _complaint(field.from_text, cell)


@pytest.mark.parametrize("name", ["itemId", "itemid", "ITEM_ID", "item-id", " Item ID "])
def test_columns_are_found_by_any_spelling(name: str) -> None:
    """Upper and lower case, underscores, hyphens and spaces do not matter."""
    field = EVENT_FIELDS.find(name)
    assert field is not None
    assert field.attribute == "item_id"


def _complaint(read: Convert, value: str) -> str:
    try:
        read(value)
    except UnreadableValueError as error:
        return str(error)
    return ""
