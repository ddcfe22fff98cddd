"""Where examples come from: catalogue, fetching, the on-disk format, the kinds of column."""
