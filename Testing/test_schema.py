"""Whatever stands in a card or a recipe, it is a value within its limits, or one sentence says what is wrong."""

import json
import random
import tomllib
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import pytest
from tiny_models import store

from SuperResolutionLib import schema
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.schema import component, convert, limits, plain
from SuperResolutionLib.training import recipe as recipes

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 10**6, 10**30, 10**4000, -(10**400)),
    *(0.5, -0.0, 1e30, float("nan"), float("inf"), -float("inf")),
    *("", "a", "../x", "$", "\x00", "\ud800", "9" * 6000, "bicubic", "none"),
    *([], [1], [[]], ["a"] * 1500, [1e30], [None], {}, {"a": 1}, {"weight": "x"}, {"": {}}),
]


def mutated(table: Any, chance: random.Random) -> Any:
    """A table with something odd somewhere in it, or something missing, or something more."""
    table = json.loads(json.dumps(table))
    place: Any = table
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inside = place[key]
        if not (isinstance(inside, (dict, list)) and inside) or chance.random() < 0.3:
            break
        place = inside
    how = chance.random()
    if how < 0.1:
        del place[key]
    elif how < 0.2 and isinstance(place, dict):
        place[chance.choice(["colour", "", "name ", "a.b", "a\nb", "\ud800", "x" * 500])] = chance.choice(ODD)
    else:
        place[key] = chance.choice(ODD)
    return table


def one_sentence(error: InputError) -> bool:
    return "\n" not in str(error) and len(str(error)) < 600 and str(error).endswith((".", "?"))


def test_odd_values_in_a_recipe_are_refused_by_one_sentence():
    """Fault I6: TypeError, KeyError, RecursionError."""
    texts = [path.read_text() for path in sorted(recipes.FOLDER.glob("*.toml"))]
    tables = [{"name": "mine", **tomllib.loads(text)} for text in texts]
    chance, refused = random.Random(0), 0
    for k in range(700):
        try:
            recipes.from_table(mutated(tables[k % len(tables)], chance))
        except InputError as error:
            assert one_sentence(error), error
            refused += 1
    assert refused > 350


def test_odd_values_in_a_card_are_refused_by_one_sentence(tmp_path):
    """Fault I6."""
    path = store(tmp_path)
    card = json.loads((zoo.folders()[0] / "mri-x2.json").read_text()) | {"guides": ["mean_b0"]}
    chance, refused = random.Random(1), 0
    for _ in range(700):
        path.with_suffix(".json").write_text(json.dumps(mutated(card, chance), default=str))
        try:
            zoo.read_card(path)
        except InputError as error:
            assert one_sentence(error), error
            refused += 1
    assert refused > 350


@dataclass(frozen=True)
class Inner:
    """A table inside a table."""

    share: Annotated[float, limits(ge=0, lt=1)] = 0.5


@dataclass(frozen=True)
class Outer:
    """One field of each kind."""

    name: Annotated[str, component(8)]
    count: Annotated[int, limits(ge=1, le=8)] = 1
    long: Annotated[int, limits(ge=0, le=10**7)] = 1
    size: Annotated[float, limits(gt=0, le=10)] = 1.0
    inner: Inner | None = None
    several: tuple[Inner, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    loose: dict[str, Annotated[float, limits(ge=0, le=9)] | str] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"count": 9}, "It has count = 9; give a whole number from 1 to 8."),
        ({"long": -1}, "It has long = -1; give a whole number, 0 or more, up to 1e+07."),
        ({"size": 0}, "It has size = 0; give a number above 0, up to 10."),
        ({"inner": {"share": 1}}, "It has inner.share = 1; give a number from 0 to below 1."),
        ({"inner": []}, "It has inner = []; give a table."),
        ({"several": [{}, {"share": "a"}]}, "It has several[1].share = 'a'; give a number from 0 to below 1."),
        ({"several": [{"shore": 1}]}, "It has 'several[0].shore', but there is no such field; did you mean 'share'?"),
        ({"pair": [1]}, "It has pair = [1]; give a list of 2 entries, each a number."),
        ({"loose": {"a": 1, "b": []}}, "It has loose.b = []; give a number from 0 to 9 or text."),
        ({"loose": {"a.b": 10}}, "It has loose.a.b = 10; give a number from 0 to 9 or text."),
        ({"name": "\ud800"}, "It has name with characters that are none; write it again."),
        ({"co\nunt": 1}, "It has 'co\\nunt', but there is no such field; did you mean 'count'?"),
    ],
)
def test_a_refusal_names_the_key_what_was_found_and_what_to_give(changes, sentence):
    with pytest.raises(InputError) as refused:
        convert(Outer, {"name": "mine", **changes}, "It", "field")
    assert str(refused.value) == sentence


def test_the_plain_constructor_makes_what_the_checked_one_does():
    table = {"name": "mine", "inner": {"share": 0.1}, "several": [{}, {"share": 0.2}], "pair": [1.0, 2.0]}
    made = plain(Outer, table)
    assert made == convert(Outer, table, "It", "field")
    assert made.several == (Inner(), Inner(0.2)) and made.pair == (1.0, 2.0)
    assert plain(Outer, json.loads(json.dumps(asdict(made)))) == made


def test_a_large_file_is_not_read(tmp_path, refuses):
    path = tmp_path / "card.json"
    path.write_text(" " * (schema.MOST_BYTES + 1))
    with refuses("card.json is not a model card", "more than 500,000"):
        schema.read(path, "a model card")
