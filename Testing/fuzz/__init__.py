"""Damaged and hostile files of every kind, thousands of them."""
