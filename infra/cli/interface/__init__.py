"""The commands as they are typed: names, arguments, options and help, a module for each group.

Nothing here takes long to import, so that completion and `--help` respond immediately: the work of
a command is in `commands`, which is imported when it runs.
"""
