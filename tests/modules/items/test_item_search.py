"""items(search): words, relevance, and what must not be taken for an operator."""

import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.modules.items.search import text_search
from app.repositories.items import ItemRepository
from tests.conftest import NOW
from tests.examples import examples
from tests.modules.items.catalogue import ITEMS, create, ids, page_of, problem, update

# Words that are parts of each other.
WORDS = st.sampled_from(["a", "la", "lamp", "lamps", "clamp", "7", "17", "70", "zz"])
STORED: dict[str, Any] = {
    "kind": "item",
    "description": None,
    "category": None,
    "status": "ACTIVE",
    "price": None,
    "created_at": NOW,
    "updated_at": NOW,
}


async def test_more_relevant_items_come_first(api: Any) -> None:
    """A word in the title weighs more than in the category, and there more than in the description."""
    await create(api, "Chair", id="description", description="goes with a lamp")
    await create(api, "Chair", id="category", category="lamp")
    await create(api, "Lamp", id="title")
    expected = ["title", "category", "description"]
    assert await ids(api, search="lamp") == expected
    assert await ids(api, search="lamp", sort={"by": "RELEVANCE"}) == expected
    assert await ids(api, search="lamp", sort={"by": "RELEVANCE", "order": "ASC"}) == expected[::-1]


async def test_equally_relevant_items_are_in_order_of_their_ids(api: Any) -> None:
    """So that pages of a search neither repeat nor miss one."""
    for n in range(7):
        await create(api, id=f"lot-{n}")
    pages = [await ids(api, search="lamp", page=page, limit=3) for page in (1, 2, 3)]
    found = [item_id for page in pages for item_id in page]
    assert found == [f"lot-{n}" for n in reversed(range(7))]


async def test_every_word_must_be_there(api: Any) -> None:
    """Words are an AND, in any order, across title, category and description."""
    await create(api, "Green lamp", id="both")
    await create(api, "Lamp", id="spread", description="It is green.")
    await create(api, "Green chair", id="green")
    await create(api, "Red lamp", id="lamp")
    assert sorted(await ids(api, search="lamp green")) == ["both", "spread"]
    assert await ids(api, search="lamp green chair") == []


async def test_case_and_accents_make_no_difference(api: Any) -> None:
    """A search finds words however they are written."""
    await create(api, "Café Crème", id="a")
    await create(api, "cafe creme", id="b")
    assert sorted(await ids(api, search="CAFE crême")) == ["a", "b"]


@pytest.mark.parametrize(
    "word", ["हिन्दी", "नेपाल", "ключ", "snake_case", "4711", "x", "the", "日本語"]
)
async def test_words_of_every_language(api: Any, word: str) -> None:
    """No word is too short, too common or too foreign to be found."""
    await create(api, f"({word}) etc", id="lot")
    assert await ids(api, search=word) == ["lot"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("-lamp", ["lot"]),
        ("lamp -shade", ["lot"]),
        ("lamp -nothing", []),
        ('"', []),
        ('"lamp', ["lot"]),
        ('"shade lamp"', ["lot"]),
        ('lamp" "shade', ["lot"]),
        ("\\", []),
        ('\\"lamp\\"', ["lot"]),
        ("$where", []),
        ("$lamp", ["lot"]),
        ('{"$ne": 1}', []),
        ("lamp.*", ["lot"]),
        (".*", []),
        ("la", []),
        ("la.*", []),
        ("^lamp$", ["lot"]),
        ("lamp-shade", ["lot"]),
        ("-", []),
        ("--", []),
        ("lamp " * 40, ["lot"]),
        ("x" * 200, []),
        ("a " * 100, []),
        ("lamp\u2009\u201cshade\u201d", ["lot"]),
    ],
)
async def test_nothing_in_a_search_is_an_operator(
    api: Any, search: str, expected: list[str]
) -> None:
    """Quotes, minus signs, dollars and patterns only end words; what is left is looked for."""
    await create(api, "Lamp shade", id="lot")
    assert await ids(api, search=search) == expected


async def test_search_is_at_most_200_characters(api: Any) -> None:
    """One character more is refused, whatever characters they are."""
    await api.ask(ITEMS, {"search": "é" * 200})
    assert problem(await api.refused(ITEMS, {"search": "é" * 201})) == ("BAD_USER_INPUT", "search")


async def test_search_follows_changes_and_filters(api: Any) -> None:
    """A changed title is found by its new words only, and filters and pages apply to a search."""
    await create(api, "Lamp", id="lot", category="a", price="5")
    await create(api, "Lamp", id="other", category="b")
    await update(api, "lot", title="Shade")
    assert await ids(api, search="lamp") == ["other"]
    assert await ids(api, search="shade", filter={"category": "b"}) == []
    assert await ids(api, search="shade", filter={"minPrice": "5", "category": "a"}) == ["lot"]
    pages = (await page_of(api, search="shade", limit=1))["pagination"]
    assert (pages["total"], pages["totalPages"], pages["hasNext"]) == (1, 1, False)


@given(st.text(max_size=200))
def test_search_has_only_words_in_quotes(text: str) -> None:
    """Whatever is searched for, MongoDB gets letters, marks and digits, each word quoted once."""
    quoted = text_search(text)
    words = [part.strip() for part in quoted.split('"')[1::2]]
    assert quoted == " ".join(f'" {word} "' for word in words)
    assert len(set(words)) == len(words)
    assert all(unicodedata.category(character)[0] in "LMN" for word in words for character in word)


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    titles=st.lists(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=5),
    searched=st.lists(WORDS, min_size=1, max_size=3),
)
async def test_found_is_what_has_every_word(
    api: Any, titles: list[str], searched: list[str]
) -> None:
    """Against a plain list: an item is found if and only if its title has every word, whole."""
    await api.database["items"].delete_many({})
    items = ItemRepository()
    for n, title in enumerate(titles):
        await items.insert("demo", STORED | {"item": f"lot-{n}", "title": title})
    expected = [n for n, title in enumerate(titles) if set(searched) <= set(title.split())]
    found = await ids(api, search=" ".join(searched), limit=100)
    assert sorted(found) == [f"lot-{n}" for n in expected]
