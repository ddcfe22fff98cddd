"""`python -m pipelines` is `benison`."""

from pipelines.cli import main

main()
