"""Diffusion: tensors, and what may be done to them."""
