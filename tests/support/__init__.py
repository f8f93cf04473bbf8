"""What tests share: servers on real sockets that behave well and badly."""
