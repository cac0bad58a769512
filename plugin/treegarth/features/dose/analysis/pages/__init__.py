"""The pages of statistics and derived doses."""
