"""The five works beside ours: what each paper prints, and what our networks reach under its degradation."""
