"""Ways to reach an MCP server: a process's pipes, HTTP, server-sent events, WebSocket, third parties' own."""
