"""A page to look through volumes: packed voxels and a small script, in one file that fetches nothing."""
