"""Diffusion series as measurements of tensors: fitted, compared."""
