"""Speaks Kubernetes over one cluster's own connections. Knows no AWS and no configuration.

aiohttp makes two TLS contexts as it is imported and has each read all public authorities, which
takes a tenth of a cold start. Each cluster's context is made here, so nothing uses those: they are
given an empty file to read, whoever of this package's modules is imported first.
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
    import aiohttp  # noqa: F401 - so that it is there already when it is imported for use
