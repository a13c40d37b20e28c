"""The value of information, and which small run to do next."""

__all__: list[str] = []
