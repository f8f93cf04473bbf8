"""The work of the commands in `interface`: AWS calls, values for `rendering`, exit codes."""
