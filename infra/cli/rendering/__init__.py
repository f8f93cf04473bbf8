"""Values to tables and lines for people. Pure: nothing here asks anything."""
