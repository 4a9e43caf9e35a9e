"""Exact Shapley values of trees, for many rows at once (path-dependent TreeSHAP).

The output of a tree is a sum over its leaves. In a coalition of known features, a leaf gives its value times one factor for
each feature of its path: whether the row follows every split of the feature, when the feature is known; otherwise the share
of the training rows that follow them. The Shapley value of a feature is then an integral of a polynomial over [0, 1], which
Gauss-Legendre quadrature gives exactly:

    value x (follows - share) x integral of the product, over the other features, of (1 - t) share + t follows

A leaf sees a row through a few yes or no answers only. Its values are computed once for each pattern of answers, and looked
up for each row; neighbouring leaves share their patterns.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sf_assets.model.matrix import Flags, Floats
from sf_assets.model.nodes import Nodes

# Leaves are grouped while the answers that they read make at most 2^10 patterns: more leaves would share a longer table.
_ANSWERS = 10

# A split, and whether the path goes left there.
_Step = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring leaves of a tree: the splits whose answers they read, and the path to each leaf."""

    splits: tuple[int, ...]
    paths: Mapping[int, tuple[_Step, ...]]


def add_shapley_values(parts: Floats, nodes: Nodes, cover: Floats, columns: npt.NDArray[Any]) -> None:
    """Add the Shapley values of one tree to `parts`, features x rows.

    `cover` is the weight of the training rows that reach each node, `columns` are the rows x features in the type in which
    the tree compares values with thresholds.
    """
    goes_left = {node: nodes.goes_left(node, columns[:, nodes.feature[node]]) for node in nodes.splits()}
    for group in _groups(nodes):
        answers = {split: goes_left[split] for split in group.splits}
        patterns = 1 << len(group.splits)
        if patterns >= len(columns):
            for feature, values in _values(nodes, cover, group, answers).items():
                parts[feature] += values
            continue
        numbers = _pattern_numbers(answers.values())
        table = _values(nodes, cover, group, dict(zip(answers, _bits(len(answers)), strict=True)))
        for feature, values in table.items():
            parts[feature] += values.take(numbers)


def _groups(nodes: Nodes) -> Iterator[_Group]:
    """Yield the largest groups of neighbouring leaves that read few enough answers; each leaf is in one of them."""
    waiting: list[tuple[int, tuple[_Step, ...]]] = [(0, ())]
    while waiting:
        node, path = waiting.pop()
        below = nodes.splits(node)
        if nodes.left[node] >= 0 and len(path) + len(below) > _ANSWERS:
            waiting += _both_sides(nodes, node, path)
            continue
        paths = {}
        inside = [(node, path)]
        while inside:
            leaf, steps = inside.pop()
            if nodes.left[leaf] < 0:
                paths[leaf] = steps
            else:
                inside += _both_sides(nodes, leaf, steps)
        yield _Group((*(split for split, _ in path), *below), paths)


def _both_sides(nodes: Nodes, node: int, path: tuple[_Step, ...]) -> list[tuple[int, tuple[_Step, ...]]]:
    return [(int(nodes.left[node]), (*path, (node, True))), (int(nodes.right[node]), (*path, (node, False)))]


def _values(nodes: Nodes, cover: Floats, group: _Group, answers: Mapping[int, Flags]) -> dict[int, Floats]:
    """Return the sum of the Shapley values of the leaves of a group, for each feature: one element for each of the answers."""
    total: dict[int, Floats] = {}
    for leaf, path in group.paths.items():
        follows: dict[int, Flags] = {}
        shares: dict[int, float] = {}
        for split, left in path:
            feature, child = int(nodes.feature[split]), (nodes.left if left else nodes.right)[split]
            answer = answers[split] if left else ~answers[split]
            follows[feature] = follows[feature] & answer if feature in follows else answer
            # Nobody reached the split: its sides are alike.
            share = cover[child] / cover[split] if cover[split] else 0.5
            shares[feature] = shares.get(feature, 1.0) * share
        values = _leaf_values(nodes.value[leaf], list(follows.values()), list(shares.values()))
        for feature, of_feature in zip(follows, values, strict=True):
            total[feature] = total[feature] + of_feature if feature in total else of_feature
    return total


def _leaf_values(value: float, follows: Sequence[Flags], shares: Sequence[float]) -> list[Floats]:
    """Return the Shapley values of one leaf by feature, an element for each row of `follows`; none of a tree without split."""
    if not follows:
        return []
    patterns = 1 << len(follows)
    if patterns < follows[0].size:
        numbers = _pattern_numbers(follows)
        return [values.take(numbers) for values in _leaf_values(value, _bits(len(follows)), shares)]
    points, weights = _quadrature(len(follows))
    factors = [(1 - points) * share + points * of_feature for of_feature, share in zip(follows, shares, strict=True)]
    before: list[Any] = [1.0]
    for factor in factors[:-1]:
        before.append(before[-1] * factor)
    result: list[Floats] = []
    after: Any = weights * value
    for earlier, factor, of_feature, share in zip(
        reversed(before), reversed(factors), reversed(follows), reversed(shares), strict=True
    ):
        result.append((of_feature - share) * (earlier * after).sum(axis=0))
        after = after * factor
    return result[::-1]


def _pattern_numbers(answers: Iterable[Flags]) -> npt.NDArray[np.intp]:
    """Return the number of each row's pattern of answers, its place in the arrays of `_bits`."""
    return np.asarray(sum(answer.astype(np.intp) << place for place, answer in enumerate(answers)))


@cache
def _bits(answers: int) -> tuple[Flags, ...]:
    """Return every pattern of answers: for each answer, an element for each pattern.

    >>> [answer.tolist() for answer in _bits(2)]
    [[False, True, False, True], [False, False, True, True]]
    """
    patterns = np.arange(1 << answers)
    return tuple((patterns >> place & 1).astype(bool) for place in range(answers))


@cache
def _quadrature(features: int) -> tuple[Floats, Floats]:
    """Return points in ]0, 1[ and their weights, as columns: exact for the products of all features of a path but one."""
    points, weights = np.polynomial.legendre.leggauss(max(1, (features + 1) // 2))
    return (points[:, np.newaxis] + 1) / 2, weights[:, np.newaxis] / 2
