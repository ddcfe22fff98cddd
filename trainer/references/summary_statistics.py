"""Logistic regression on a few numbers of each example, standardised: how sounds were told apart before networks."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def logistic_probabilities(train: Array, labels: Array, evaluated: Array, classes: int, seed: int) -> Array | None:
    """Probabilities float64 `[examples, classes]` of evaluated examples; None of a train split of one class.

    Args:
      train, evaluated: float32 `[examples, numbers]`.
      labels: int64 `[examples]`, -1 for a class that is none of `classes`.
      seed: for the solver.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = labels >= 0
    if len(np.unique(labels[known])) < 2:
        return None
    method = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed))
    method.fit(train[known], labels[known])
    return of_all_classes(method, evaluated, classes)


def of_all_classes(fitted: Any, evaluated: Any, classes: int) -> Array:
    """Probabilities float64 `[examples, classes]` by scikit-learn's classifier; 0 for a class that it has not seen."""
    found = np.zeros((evaluated.shape[0], classes))
    found[:, fitted.classes_] = fitted.predict_proba(evaluated)
    return found
