"""The profiles of a person's AWS configuration, read without botocore, which takes long."""

import configparser
from collections.abc import Mapping
from pathlib import Path


def profiles(environ: Mapping[str, str]) -> list[str]:
    """Return the names of all profiles; none of a file that cannot be read."""
    settings = _sections(environ.get("AWS_CONFIG_FILE") or "~/.aws/config")
    credentials = _sections(environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")
    named = {name.removeprefix("profile ").strip(" \"'") for name in settings if _is_profile(name)}
    return sorted(named | set(credentials))


def _is_profile(section: str) -> bool:
    """Return whether a section is a profile's; others are `sso-session` and `services`."""
    return section == "default" or section.startswith("profile ")


def _sections(file: str) -> list[str]:
    parser = configparser.RawConfigParser(strict=False, default_section="")
    try:
        parser.read(Path(file).expanduser(), encoding="utf-8")
    except (configparser.Error, OSError, RuntimeError, UnicodeDecodeError):
        return []
    return parser.sections()
