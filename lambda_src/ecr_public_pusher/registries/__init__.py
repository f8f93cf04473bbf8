"""Where pull credentials come from, and the docker config that carries them."""
