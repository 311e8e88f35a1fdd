"""Training: data, recipes and loops. Nothing that only enhances imports this room."""
