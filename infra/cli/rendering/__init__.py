"""Values as tables and lines for people. Pure."""
