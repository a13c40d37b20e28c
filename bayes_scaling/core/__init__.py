"""What every room uses: files, messages, summaries of draws, named random streams."""

__all__: list[str] = []
