"""Rows: one prompt asked for each row of a table, with its cost, its limits and its answers kept."""
