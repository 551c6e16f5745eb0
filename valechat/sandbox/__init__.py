"""What a server's process may do: one file a platform; each says what it enforces and what it does not."""
