"""More than one budget: the efficient frontier and marginal gains."""

__all__: list[str] = []
