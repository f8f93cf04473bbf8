"""Commands, a module for each group: read arguments, call AWS, hand values to `rendering`."""
