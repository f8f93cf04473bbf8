from pathlib import Path

from ..stack import LocalStack


class OwnStack(LocalStack):
    def __init__(self, root: Path, folder: Path) -> None: ...
