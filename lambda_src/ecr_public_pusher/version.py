"""The release, in one place: a test holds template.yaml and CHANGELOG.md to it."""

VERSION = "1.0.0"
