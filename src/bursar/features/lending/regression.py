"""Logistic regression by Newton's method, in the standard library alone: a score has few features, so it is quick."""

import math
from collections.abc import Sequence

# The penalty on a squared weight, halved: as if a little evidence were there that no feature matters.
_PENALTY = 0.1
_MOST_STEPS = 50
_CLOSE_ENOUGH = 1e-12


def fit_logistic(rows: Sequence[Sequence[float]], outcomes: Sequence[bool]) -> tuple[float, list[float]]:
    """Intercept and weights that maximise the likelihood less the penalty (ridge; the intercept is free of it).

    Rows must hold true and false outcomes; with values from 0 to 1 Newton's method converges in about ten steps.
    """
    full = [(1.0, *row) for row in rows]
    weights = [0.0] * len(full[0])
    for _ in range(_MOST_STEPS):
        step = _solve(*_slope_and_curvature(full, outcomes, weights))
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < _CLOSE_ENOUGH:
            break
    return weights[0], weights[1:]


def _slope_and_curvature(
    rows: Sequence[Sequence[float]], outcomes: Sequence[bool], weights: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    places = range(len(weights))
    penalties = [0.0] + [_PENALTY] * (len(weights) - 1)
    slope = [-p * w for p, w in zip(penalties, weights, strict=True)]
    curvature = [[penalties[i] if i == j else 0.0 for j in places] for i in places]
    for row, outcome in zip(rows, outcomes, strict=True):
        likely = 1 / (1 + math.exp(-sum(w * x for w, x in zip(weights, row, strict=True))))
        missed, spread = outcome - likely, likely * (1 - likely)
        for i in places:
            slope[i] += missed * row[i]
            for j in places:
                curvature[i][j] += spread * row[i] * row[j]
    return slope, curvature


def _solve(right: list[float], matrix: list[list[float]]) -> list[float]:
    """Gauss elimination; the matrix is symmetric and positive definite, so no row needs to change its place."""
    size = len(right)
    for i in range(size):
        for j in range(i + 1, size):
            share = matrix[j][i] / matrix[i][i]
            right[j] -= share * right[i]
            for k in range(i, size):
                matrix[j][k] -= share * matrix[i][k]
    for i in reversed(range(size)):
        right[i] = (right[i] - sum(matrix[i][k] * right[k] for k in range(i + 1, size))) / matrix[i][i]
    return right
