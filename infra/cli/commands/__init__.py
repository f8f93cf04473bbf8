"""What the commands of `interface` do: call AWS, hand values to `rendering`, return exit codes."""
