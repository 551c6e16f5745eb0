"""MCP servers: configuration, transports, one owner task a server, the manager."""
