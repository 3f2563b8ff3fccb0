"""The shapes that travel: what requests and answers look like, shared by the door and the client so that they agree."""
