"""The parts of the API that kubectl reads besides objects: discovery, OpenAPI and tables."""
