"""Explanations of scores: contributions add up, equal exact SHAP values, and fill the bars of the waterfall chart."""

import numpy as np
import pytest
import shap
from drawn import DEBT, company, earlier, fitted, later, small
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from sf_assets.features.registry import BY_NAME, NAMES, THEMES
from sf_assets.model.explanations import by_theme, waterfall
from sf_assets.model.methods import METHODS, score
from sf_assets.model.nodes import trees_of
from sf_assets.model.trees import covers_of, tree_base, tree_contributions

LEARNING = [name for name, method in METHODS.items() if method.learns]
TREES = ["boosting", "foret"]


@pytest.mark.parametrize("name", LEARNING)
def test_contributions_add_up_to_the_log_odds_of_the_score(name):
    rows = later()[0][:2_000]
    method = fitted(name)
    probability = score(method, rows)
    total = method.base_ + method.contributions(rows).sum(axis=1)
    assert np.abs(total - np.log(probability / (1 - probability))).max() < 1e-6


def test_contributions_of_the_threshold_method_add_up_to_its_points():
    rows = later()[0]
    method = fitted("seuils")
    assert np.array_equal(method.base_ + method.contributions(rows).sum(axis=1), method.points(rows))


def test_contributions_of_the_regression_are_the_shap_values_of_a_linear_model():
    rows = later()[0][:200]
    learned = fitted("logistique")
    before = learned.pipeline_[:-1]
    # The scaler sets the training mean of every transformed column to zero: that is the background.
    background = (
        np.zeros(learned.pipeline_["logit"].n_features_in_),
        np.eye(learned.pipeline_["logit"].n_features_in_),
    )
    values = shap.LinearExplainer(learned.pipeline_["logit"], background).shap_values(before.transform(rows.to_numpy()))
    assert learned.contributions(rows).sum(axis=1) == pytest.approx(learned.slope_ * values.sum(axis=1), abs=1e-9)
    effectif = NAMES.index("effectif")
    assert learned.contributions(rows)[:, effectif] == pytest.approx(learned.slope_ * values[:, effectif], abs=1e-9)


@pytest.mark.parametrize("name", TREES)
def test_contributions_of_trees_are_the_shapley_values_by_their_definition(name):
    """Compute the Shapley values of two features by their definition: coalitions along the paths, averaged over both orders."""
    rng = np.random.default_rng(4)
    table = rng.integers(0, 3, size=(3_000, 2)).astype(float)
    table[rng.random(table.shape) < 0.2] = np.nan
    failure = rng.random(3_000) < np.where((table[:, 0] == 2) & (table[:, 1] == 2), 0.6, 0.05)
    method = type(fitted(name))(features=("a", "b"), draws=1).fit(table, failure)
    ensemble, covers = method.ensemble_, method.covers_
    matrix = np.array([[2.0, 2.0], [0.0, 2.0], [np.nan, 1.0]])
    inner = method.bins_.transform(matrix) if name == "boosting" else matrix
    for row, parts in zip(inner, tree_contributions(ensemble, inner, covers), strict=True):
        neither, first, second, both = (_expected(method, row, known) for known in ((), (0,), (1,), (0, 1)))
        assert parts[0] == pytest.approx((first - neither + both - second) / 2, abs=1e-6)
        assert parts[1] == pytest.approx((second - neither + both - first) / 2, abs=1e-6)
        assert tree_base(ensemble, covers) == pytest.approx(neither, abs=1e-6)


@pytest.mark.parametrize("rows", [3, 4_000], ids=["fewer rows than patterns", "more rows than patterns"])
@pytest.mark.parametrize("depth", [3, 14], ids=["shallow", "leaves of their own"])
def test_contributions_of_trees_equal_those_of_the_reference_implementation(rows, depth):
    rng = np.random.default_rng(5)
    table = rng.normal(size=(4_000, 6)).round(1)
    table[rng.random(table.shape) < 0.2] = np.nan
    failure = rng.random(4_000) < 1 / (1 + np.exp(2 - 3 * np.nan_to_num(table[:, 0] * table[:, 1])))
    forest = RandomForestClassifier(n_estimators=5, max_depth=depth, random_state=1).fit(table, failure)
    covers = covers_of(forest, table, rng.random(4_000))
    if depth > 3:
        deepest = max(len(path) for nodes in trees_of(forest).nodes for path in paths_of(nodes))
        assert deepest > 10, "the trees have no leaf whose path alone reads more answers than a group does"
    parts = tree_contributions(forest, table[:rows], covers)
    assert np.abs(parts - _reference(forest, table[:rows], covers)).max() < 1e-12


@pytest.mark.parametrize("kind", [RandomForestClassifier, HistGradientBoostingClassifier])
def test_trees_without_a_split_add_nothing_to_the_base(kind):
    """Leaves as large as the table: a tree of few rows, or one that finds nothing to learn, is a single leaf."""
    table, failure = np.arange(40.0).reshape(20, 2), np.arange(20) < 5
    ensemble = kind(min_samples_leaf=20).fit(table, failure)
    covers = covers_of(ensemble, table, np.ones(20))
    for rows in (1, 20):
        assert tree_contributions(ensemble, table[:rows], covers).tolist() == [[0.0, 0.0]] * rows


def paths_of(nodes) -> list[list[int]]:
    waiting, paths = [(0, [])], []
    while waiting:
        node, path = waiting.pop()
        if nodes.left[node] < 0:
            paths.append(path)
        else:
            waiting += [(child, [*path, node]) for child in (nodes.left[node], nodes.right[node])]
    return paths


def _reference(ensemble, matrix, covers) -> np.ndarray:
    trees = [
        {
            "children_left": nodes.left,
            "children_right": nodes.right,
            "children_default": nodes.default,
            "features": nodes.feature,
            "thresholds": nodes.threshold,
            "values": nodes.value[:, np.newaxis],
            "node_sample_weight": cover,
        }
        for nodes, cover in zip(trees_of(ensemble).nodes, covers, strict=True)
    ]
    described = {"trees": trees, "base_offset": 0.0, "input_dtype": np.float32}
    explainer = shap.TreeExplainer(described, feature_perturbation="tree_path_dependent")
    return np.asarray(explainer.shap_values(matrix, check_additivity=False)).reshape(matrix.shape)


def _expected(method, row, known) -> float:
    """Return the expected output when only the features `known` are used; other splits average both children by weight."""
    ensemble, covers = method.ensemble_, method.covers_
    if hasattr(ensemble, "estimators_"):
        votes = zip(ensemble.estimators_, covers, strict=True)
        return np.mean([_of_vote(one.tree_, cover, row, known, 0) for one, cover in votes])
    raw = float(np.ravel(ensemble._baseline_prediction)[0])
    steps = zip(ensemble._predictors, covers, strict=True)
    return raw + sum(_of_nodes(one[0].nodes, cover, row, known, 0) for one, cover in steps)


def _of_vote(tree, cover, row, known, node) -> float:
    left, right, feature = tree.children_left[node], tree.children_right[node], tree.feature[node]
    if left == -1:
        return tree.value[node][0, 1] / tree.value[node].sum()
    if feature in known:
        value = row[feature]
        goes_left = tree.missing_go_to_left[node] if np.isnan(value) else value <= tree.threshold[node]
        return _of_vote(tree, cover, row, known, left if goes_left else right)
    return sum(cover[side] * _of_vote(tree, cover, row, known, side) for side in (left, right)) / cover[node]


def _of_nodes(nodes, cover, row, known, at) -> float:
    node = nodes[at]
    if node["is_leaf"]:
        return node["value"]
    if node["feature_idx"] in known:
        value = row[node["feature_idx"]]
        goes_left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
        return _of_nodes(nodes, cover, row, known, node["left"] if goes_left else node["right"])
    sides = (node["left"], node["right"])
    return sum(cover[side] * _of_nodes(nodes, cover, row, known, side) for side in sides) / cover[at]


@pytest.mark.parametrize("name", TREES)
def test_the_weights_of_nodes_are_those_of_the_rows_that_reach_them(name):
    rng = np.random.default_rng(6)
    table = rng.normal(size=(3_000, 2))
    table[rng.random(table.shape) < 0.2] = np.nan
    failure = rng.random(3_000) < np.where(table[:, 0] > 0.5, 0.5, 0.05)
    weights = np.where(failure, 1.0, 7.0)
    ensemble = type(fitted(name))(features=("a", "b"), draws=1).fit(table, failure).ensemble_
    bins = np.where(np.isnan(table), np.nan, rng.integers(0, 250, size=table.shape))
    matrix = bins if name == "boosting" else table
    base = tree_base(ensemble, covers_of(ensemble, matrix, weights))
    output = ensemble.decision_function(matrix) if name == "boosting" else ensemble.predict_proba(matrix)[:, 1]
    assert base == pytest.approx(np.average(output, weights=weights), abs=1e-9)


@pytest.mark.parametrize("name", TREES)
def test_the_base_value_is_that_of_the_population_whatever_share_of_rows_was_sampled(name):
    rows, failure = earlier()
    starts = []
    for one_in in (1, 3, 6):
        kept = failure | (np.arange(len(failure)) % one_in == 0)
        method = small(name).fit(rows.filter(kept), failure[kept], np.where(failure, 1.0, one_in)[kept])
        starts.append(1 / (1 + np.exp(-method.base_)))
        total = method.base_ + method.contributions(later()[0][:200]).sum(axis=1)
        assert np.abs(total - method.log_odds(later()[0][:200])).max() < 1e-6
    assert max(starts) < 1.15 * min(starts), starts


@pytest.mark.parametrize("name", TREES)
def test_the_typical_value_of_a_feature_is_the_median_of_its_known_values(name):
    rows = earlier()[0]
    usual = dict(zip(NAMES, fitted(name).typical_, strict=True))
    assert usual[DEBT] == 0
    assert usual["paydex"] == pytest.approx(rows["paydex"].median(), rel=0.05)


def test_the_contribution_of_an_unknown_value_belongs_to_its_feature():
    learned = fitted("logistique")
    usual = dict(zip(NAMES, learned.typical_.tolist(), strict=True))
    known, unknown = (learned.contributions(company(**usual | {"paydex": days})) for days in (usual["paydex"], None))
    changed = [NAMES[i] for i in np.flatnonzero(np.abs(known - unknown)[0] > 1e-12)]
    assert changed == ["paydex"]


def test_a_theme_is_the_sum_of_its_features():
    micro = fitted("logistique").contributions(later()[0][:100])
    macro = by_theme(micro, NAMES)
    financial = [i for i, name in enumerate(NAMES) if BY_NAME[name].theme == "sante_financiere"]
    assert macro[:, list(THEMES).index("sante_financiere")] == pytest.approx(micro[:, financial].sum(axis=1))
    with pytest.raises(ValueError, match="found inconnu"):
        by_theme(micro[:, :1], ["inconnu"])


def test_the_bars_of_the_waterfall_equal_the_example_of_the_rules():
    features = ("cotisation", "dette_par_effectif", "effectif", "paydex")
    found = waterfall(np.array([[0.15, 0.05, 0.05, -0.05]]), np.array([0.40]), features)
    assert found.micro[0] == pytest.approx([30, 10, 10, -10])
    assert dict(zip(THEMES, found.macro[0], strict=True)) == pytest.approx(
        {
            "dette_urssaf": 40,
            "effectif": 10,
            "activite_partielle": 0,
            "retards_paiement": -10,
            "sante_financiere": 0,
            "profil": 0,
        }
    )


def test_features_add_up_to_themes_and_themes_to_the_risk():  # deviation B19
    rows = later()[0].filter(score(fitted("logistique"), later()[0]) > 0.05)
    risk = score(fitted("logistique"), rows)
    found = waterfall(fitted("logistique").contributions(rows), risk, NAMES)
    assert np.abs(found.macro.sum(axis=1) - 100 * risk).max() < 1e-9
    assert np.abs(by_theme(found.micro, NAMES) - found.macro).max() < 1e-9


@pytest.mark.parametrize("micro", [[0.1, -0.1], [0.0, 0.0], [-0.2, 0.1]])
def test_a_row_whose_contributions_add_up_to_zero_or_less_has_no_waterfall(micro):
    found = waterfall(np.array([micro]), np.array([0.4]), ("effectif", "paydex"))
    assert np.isnan(found.macro).all()
    assert np.isnan(found.micro).all()
