"""The local stack: an embedded AWS and Kubernetes on loopback, so that the built function can do its real job on a laptop."""
