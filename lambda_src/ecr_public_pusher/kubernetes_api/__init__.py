"""Kubernetes over one cluster's own connections. Knows no AWS and no configuration.

aiohttp creates two TLS contexts when it is imported, and each reads all public authorities, which
takes a tenth of a cold start. Each cluster's context is created in this package, so nothing uses
those: they are given an empty file to read, whichever module of the package is imported first.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_AUTHORITIES = "SSL_CERT_FILE"  # OpenSSL's variable


@contextmanager
def _no_public_authorities() -> Iterator[None]:
    own = os.environ.get(_AUTHORITIES)
    os.environ[_AUTHORITIES] = os.devnull
    try:
        yield
    finally:
        if own is None:
            del os.environ[_AUTHORITIES]
        else:
            os.environ[_AUTHORITIES] = own


with _no_public_authorities():
    import aiohttp  # noqa: F401 - imported here before any module uses it
