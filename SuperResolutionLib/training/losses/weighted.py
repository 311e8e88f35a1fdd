"""Several losses as one."""

import math
from collections.abc import Mapping

import torch

from SuperResolutionLib.errors import InputError


class WeightedSum:
    """The sum of named terms, each times its weight; and every term by itself, for the curves.

    weights: name -> weight, 0 or more; a term of weight 0 is shown in the curves and not learnt from.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        for name, weight in weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise InputError(f"The loss '{name}' has the weight {weight}; give a number, 0 or more.")
        if not any(weights.values()):
            raise InputError("No loss has a weight above 0; give at least one.")
        self.weights = dict(weights)

    def __call__(self, terms: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The total, with its gradient, and every term, without weight and gradient.

        terms: name -> one number, for exactly the names that have a weight; else InputError.
        """
        if terms.keys() != self.weights.keys():
            weighed, given = (", ".join(sorted(names)) for names in (self.weights, terms))
            raise InputError(f"There are weights for {weighed}, and losses for {given or 'nothing'}; name the same.")
        counted = [weight * terms[name] for name, weight in self.weights.items() if weight > 0]
        return torch.stack(counted).sum(), {name: term.detach() for name, term in terms.items()}
