"""Every AI model, every MCP server and the whole bill, in your notebook."""

__version__ = "0.1.0"
