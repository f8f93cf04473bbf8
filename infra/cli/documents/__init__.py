"""Configuration documents as files and parameters, validated by the function's model."""
