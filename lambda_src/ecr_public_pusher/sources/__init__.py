"""The inputs that a run reads from AWS: the parameters, and the clusters that discoveries find."""
