"""One budget: the split of least risk, and what comes of it."""

__all__: list[str] = []
