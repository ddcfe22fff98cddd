"""The kinds of part that a preview may have, one module a kind: what it holds, how it is drawn, kept and shown."""
