"""The routers of `/v1`, a file a room."""
