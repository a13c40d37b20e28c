"""The page that computes plans again in the browser."""
