from typing import Any


def push_documents(stack: Any, function: Any, event: Any, options: Any) -> int: ...
