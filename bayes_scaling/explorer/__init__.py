"""The page that computes plans again in the browser."""

__all__: list[str] = []
