"""What every room uses: files, messages, summaries of draws, named random streams."""
