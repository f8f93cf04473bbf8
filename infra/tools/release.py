"""`make release`: what a release offers for download, in one folder.

The function's zip for each processor, the command line's wheel, an SBOM of both, the changelog's
section and the checksums.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ecr_public_pusher.version import VERSION
from infra.tools import package

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = Path("dist")
NAME = "ecr-public-pusher"
UV = Path(".venv-lock", "bin", "uv")
# CycloneDX, by the group of uv.lock that it lists.
SBOMS = {"function": f"{NAME}-{VERSION}.cdx.json", "cli": f"{NAME}-cli-{VERSION}.cdx.json"}
NOTES = "NOTES.md"
CHECKSUMS = "SHA256SUMS"


class ReleaseError(RuntimeError):
    """The tag is not this version's, or a part cannot be built."""


def check_tag(tag: str) -> None:
    """Raise ReleaseError for another tag than the version's."""
    if tag != f"v{VERSION}":
        raise ReleaseError(
            f"the tag {tag} is not v{VERSION}: raise VERSION in"
            " lambda_src/ecr_public_pusher/version.py before the tag is set, or set another tag"
        )


def notes(changelog: str, version: str) -> str:
    """Return the section of a version, without its heading.

    Raise ReleaseError when there is none.
    """
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|^\[[^\]]+\]: |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if not found:
        raise ReleaseError(f"CHANGELOG.md has no section [{version}]: name `Unreleased` so")
    return found[1].strip() + "\n"


def sbom(group: str) -> str:
    """Return the SBOM of a group of uv.lock, as CycloneDX in JSON.

    uv leaves out the project's own version, which its metadata take from version.py.
    """
    exported = _run(
        str(ROOT / UV),
        *("export", "--frozen", "--quiet", "--only-group", group, "--format", "cyclonedx1.5"),
    )
    document = json.loads(exported)
    document["metadata"]["component"] |= {"type": "application", "version": VERSION}
    return json.dumps(document, indent=2) + "\n"


def checksums(folder: Path) -> str:
    """Return the SHA-256 of each file of a folder, as `sha256sum --check` reads them."""
    files = sorted(file for file in folder.iterdir() if file.name not in {NOTES, CHECKSUMS})
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def build(folder: Path) -> None:
    """Write all parts of the release into an empty folder.

    Raise ReleaseError, or package.PackageError, when one cannot be built.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ReleaseError(f"{folder} is not empty: remove what is in it")
    (folder / NOTES).write_text(notes((ROOT / "CHANGELOG.md").read_text(), VERSION))
    for group, name in SBOMS.items():
        (folder / name).write_text(sbom(group))
    for architecture in package.MACHINES:
        package.build(ROOT, architecture, folder / f"{NAME}-{VERSION}-{architecture}.zip")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (folder / CHECKSUMS).write_text(checksums(folder))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.tools.release", description=__doc__)
    parser.add_argument("--tag", help="the release's tag, which must be v and the version")
    parser.add_argument("--output", type=Path, default=ROOT / OUTPUT, metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        if options.tag is not None:
            check_tag(options.tag)
        build(options.output.resolve())
    except (ReleaseError, package.PackageError) as error:
        sys.stderr.write(f"failed: {error}\n")
        return 1
    sys.stdout.write((options.output / CHECKSUMS).read_text())
    return 0


def _run(*command: str) -> str:
    """Run a command in the project's folder and return its standard output."""
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ReleaseError(f"{' '.join(command)} ({done.returncode})\n{done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
