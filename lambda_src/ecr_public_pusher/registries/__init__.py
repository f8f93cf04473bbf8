"""The registries' tokens, and the docker config that carries them."""
