"""The commands as they are typed: names, arguments, options and help, a module for each group.

Nothing here takes long to import, so that a shell's completion and `--help` come at once: what a
command does is in `commands`, which is imported when it runs.
"""
