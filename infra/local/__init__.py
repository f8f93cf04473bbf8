"""The local stack: an embedded AWS and Kubernetes on loopback, so that the built function can do
its real job on a laptop.

`aws` and `kube` are the two; `stack` puts them together, `scenarios` fill it and tell their stories,
`run` is the command line of `make run`.
"""
