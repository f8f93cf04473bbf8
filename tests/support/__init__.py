"""The servers and helpers that tests share, on real sockets."""
