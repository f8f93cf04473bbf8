"""The release this is: the one place that says so. template.yaml and CHANGELOG.md are held to it by
a test.
"""

VERSION = "1.0.0"
