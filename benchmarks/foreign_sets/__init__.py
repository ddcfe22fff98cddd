"""Data sets that code makes, unlike the default ones: one module a task, named like it, with `SETS`.

`SETS` maps a set's name to a function that writes it into an empty folder in a form that the task's columns read.
Everything follows from fixed seeds; pictures of letters also from the fonts that the machine has.
"""
