"""The HTTP side: HTTPS, routes, decoded bodies, and the checks before anything is written."""
