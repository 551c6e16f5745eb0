"""Everything that knows Jupyter: panel, magics, key dialog."""
