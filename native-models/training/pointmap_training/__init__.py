"""The training kit of the compact pointmap network: simulator, networks, losses, training, evaluation, export."""
