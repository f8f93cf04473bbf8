"""An embedded AWS and Kubernetes on loopback, in which the built function runs on a laptop.

`aws` and `kube` are the two, `stack` combines them, `scenarios` fill a stack and tell a story on
it, and `run` is the command line of `make run`.
"""
