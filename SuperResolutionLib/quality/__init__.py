"""How good a restored volume is: measures, comparison with the truth, statistics."""
