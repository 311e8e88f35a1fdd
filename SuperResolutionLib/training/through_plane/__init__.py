"""Training of the network for thick slices: its recipe, its data, its loop."""
