"""Reference levels: what a country or a site holds its usual doses against, and how the medians here compare."""
