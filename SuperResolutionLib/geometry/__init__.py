"""Grids: where voxels lie, how slices are stacked, what grid is wanted."""
