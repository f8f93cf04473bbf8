"""The objects: held in memory, completed, validated, selected and listed as the server does."""
