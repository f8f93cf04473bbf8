"""What kubectl reads besides objects: discovery, OpenAPI and tables."""
