"""The local stack: an embedded AWS and Kubernetes on loopback, so that the built function can do
its real job on a laptop.

`aws` and `kube` are the two; `stack` puts them together, and `demo`, `life`, `reach` and `own` fill
it; `run` is the command line of `make run`.
"""
