"""What runs, in which order, where: the command line, the pipeline, the local runner."""
