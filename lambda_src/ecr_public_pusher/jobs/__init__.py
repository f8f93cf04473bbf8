"""What is done in a cluster: push, remove, check, and how their results are explained."""
