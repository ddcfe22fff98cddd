"""The default data sets, one module each."""
