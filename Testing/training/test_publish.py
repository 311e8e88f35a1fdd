"""A finished training becomes a model that the zoo loads, with a card that tells the truth."""

import numpy as np
import pytest
import torch
from in_words import enhance
from phantoms import stack
from safetensors.torch import load_file
from small_world import discs

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks import parameters
from SuperResolutionLib.training import publish as publishing
from SuperResolutionLib.training.publish import TWIN, coarse_spacing, publish, starting_weights
from SuperResolutionLib.training.recipe import load


def test_the_published_model_is_loaded_and_enhances(finished, recipe, tmp_path):
    path = publish(recipe(), finished.best, finished.data, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"tiny.safetensors", "tiny.json"}
    model = zoo.load(str(path))
    for name, tensor in model.network.state_dict().items():
        assert torch.allclose(tensor, finished.best["weights"][name], atol=1e-3)
    assert enhance(stack(discs(1)), model).size == (72, 72, 4)


def test_the_card_tells_what_the_model_is(finished, recipe, tmp_path):
    card = zoo.read_card(publish(recipe(), finished.best, finished.data, tmp_path))
    model = zoo.load(str(tmp_path / "tiny.safetensors"))
    assert (card.name, card.scale, card.slices, card.skip) == ("tiny", 2, 3, "bicubic")
    assert card.parameters == parameters(model.network)
    assert card.spacing == (2.0, 2.0)
    assert (card.trained_on, card.data_licence, card.recipe) == ("discs", "CC0", "tiny")
    assert "Research use only" in card.use


def test_the_card_tells_what_the_model_is_made_for(finished, recipe, tmp_path):
    asked = recipe(made_for="discs, and nothing else")
    assert zoo.read_card(publish(asked, finished.best, finished.data, tmp_path)).made_for == asked.made_for
    twin = publish(asked, finished.best, finished.data, tmp_path, twin=True)
    assert twin.stem == "tiny-twin"
    assert zoo.read_card(twin).made_for == "comparison under bicubic_blur3: what the game of tiny began with"


def test_the_installed_models_are_made_for_what_their_recipes_say():
    for name, weights in zoo.installed().items():
        card = zoo.read_card(weights)
        recipe = load(card.recipe)
        assert card.made_for, name
        assert card.made_for == (TWIN.format(recipe=recipe) if name.endswith("-twin") else recipe.made_for), name


@pytest.mark.parametrize(("cost", "kind"), [(0.004, torch.float16), (0.006, torch.float32)])
def test_weights_are_halved_only_where_that_costs_nothing(finished, recipe, tmp_path, monkeypatch, cost, kind):
    figures = iter([40.0, 40.0 - cost])
    monkeypatch.setattr(publishing, "validate", lambda *_: {"psnr_head": next(figures)})
    path = publish(recipe(), finished.best, finished.data, tmp_path)
    assert {tensor.dtype for tensor in load_file(path).values()} == {kind}


def test_the_cards_spacing_is_that_of_the_planes_that_were_trained_on(finished, recipe):
    assert coarse_spacing(finished.data, recipe()) == (2.0, 2.0)
    assert coarse_spacing(finished.data, recipe(groups=[{"planes": ["native", "coronal"]}])) == (2.0, 8.0)


def test_a_recipe_may_ask_that_forward_models_be_recognised(finished, recipe, tmp_path):
    names = ["area", "k_space", "bicubic_blur3"]
    model = zoo.load(str(publish(recipe(recognise=names), finished.best, finished.data, tmp_path)))
    assert model.card.recognition["models"] == names
    profiles = np.array(model.card.recognition["profiles"])
    assert profiles.shape == (3, 3)
    assert profiles[2].argmax() == 2  # of a blur that it learnt to undo, the network knows that it was one
    assert np.all(np.linalg.eigvalsh(model.card.recognition["precision"]) > 0)
    assert enhance(stack(discs(1)), model).size == (72, 72, 4)


def test_errors_are_learnt_of_the_model_in_as_many_orientations_as_it_looks_in(finished, recipe, tmp_path):
    cards = {}
    for turns in (1, 2):
        path = publish(recipe(recognise=["area"], turns=turns), finished.best, finished.data, tmp_path)
        cards[turns] = zoo.read_card(path)
    assert {n: card.turns for n, card in cards.items()} == {1: 1, 2: 2}
    assert cards[2].recognition["profiles"] != cards[1].recognition["profiles"]


def test_a_recipe_may_start_from_a_published_model(finished, recipe, tmp_path):
    path = publish(recipe(), finished.best, finished.data, tmp_path)
    weights = starting_weights(recipe(start_from=str(path)))
    assert weights.keys() == finished.best["weights"].keys()
    assert starting_weights(recipe()) is None


def test_the_finished_model_can_be_the_mean_of_what_was_learnt_and_of_its_start(finished, recipe, tmp_path):
    start = publish(recipe(), finished.best, finished.data, tmp_path / "first")
    learnt = {name: tensor + 1 for name, tensor in finished.best["weights"].items()}
    mean = recipe(start_from=str(start), start_share=0.25)
    path = publish(mean, {"weights": learnt}, finished.data, tmp_path / "second")
    for name, tensor in zoo.load(str(path)).network.state_dict().items():
        assert torch.allclose(tensor, finished.best["weights"][name] + 0.75, atol=2e-3)


def test_no_mean_is_taken_with_another_network(finished, recipe, tmp_path):
    start = publish(recipe(), finished.best, finished.data, tmp_path)
    other = {name: tensor[..., :1] for name, tensor in finished.best["weights"].items()}
    with pytest.raises(InputError, match="whose network is another; leave start_share out"):
        publishing.finished(recipe(start_from=str(start), start_share=0.5), other)
    with pytest.raises(InputError, match="has a start_share, but starts afresh"):
        recipe(start_share=0.5)
