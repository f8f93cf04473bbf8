"""One module for each group of commands: reads arguments, asks AWS, hands values to `rendering`,
returns an exit code.
"""
