"""A DNS of a test's own, behind socket.getaddrinfo.

Names that resolve to anything, fail or hang, and addresses that lead to loopback.
"""

import socket
import time
from collections.abc import Mapping
from typing import Any


class Resolver:
    """`names`: addresses of a name, or how many seconds it hangs.

    What is not among them has no address; an address is its own.

    Those addresses that are not of this machine lead to 127.0.0.1, where a test can listen.
    """

    def __init__(self, names: Mapping[str, list[str] | float]) -> None:
        self.names = names
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *args: Any, **named: Any) -> Any:
        found = self.names.get(host)
        if isinstance(found, float):
            time.sleep(found)
        if isinstance(found, list):
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found
            ]
        if str(host).startswith("127."):
            return self._real(host, port, *args, **named)
        if any(
            host in addresses for addresses in self.names.values() if isinstance(addresses, list)
        ):
            return self._real("127.0.0.1", port, *args, **named)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
