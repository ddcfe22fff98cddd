"""The two sets of `gan`, coloured shapes of 32 x 24 pixels and grey letters of 40 that nobody labelled; and drawn faces
in colour, in which few hundred pictures must do."""

from __future__ import annotations

from benchmarks.foreign_sets import face_recognition, gan

SETS = {**gan.SETS, "drawn_faces": face_recognition.SETS["drawn_faces"]}
