"""Diffusion MRI: what the volumes of a series know about each other, and the tensors that are read from them."""
