"""The weights of scikit-learn's logistic regression as those of a layer that gives the logits of all classes."""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax_weights(learnt: Any, classes: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Kernel float32 `[features, classes]` and bias `[classes]` of a fitted `LogisticRegression` of class indices.

    A class that it was not fitted on begins as the least likely.
    """
    kernel, bias = np.zeros((learnt.coef_.shape[1], classes), np.float32), np.zeros(classes, np.float32)
    coefficients, intercepts, known = learnt.coef_, learnt.intercept_, learnt.classes_
    if len(known) == 2:  # of two classes scikit-learn keeps the difference
        coefficients, intercepts = np.stack([-coefficients[0], coefficients[0]]) / 2, np.stack([-1, 1]) * intercepts / 2
    kernel[:, known], bias[known] = coefficients.T, intercepts
    bias[np.setdiff1d(np.arange(classes), known)] = bias[known].min() - 1
    return kernel, bias
