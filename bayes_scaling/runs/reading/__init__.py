"""Sources of tables: files and data frames, read without interpreting their cells."""
