"""Sources of tables: files and data frames, read without interpreting their cells."""

__all__: list[str] = []
