"""The queries of the feature tables. That of the matrix is completed from the registry, so that no feature is declared twice."""

from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable

from sf_assets.engine.queries import Query, read_query
from sf_assets.features.registry import FEATURES, Feature

_FOLDER = files("sf_assets.features")
_MATRIX = "feat_matrix"


def feature_query(name: str, *, folder: Traversable = _FOLDER, features: Iterable[Feature] = FEATURES) -> Query:
    """Return the query of a feature table; `features` are the columns of the matrix."""
    return read_query(folder, name, matrix_columns(features) if name == _MATRIX else {})


def matrix_columns(features: Iterable[Feature]) -> dict[str, str]:
    """Return the parts of the query of the matrix: what stands for absent values, and the columns in their order.

    >>> matrix_columns([Feature("hours", "", "", "hour", (), "", "", 1, 0)])
    {'absent': 'replace (coalesce(hours, 0) as hours)', 'features': 'hours::double as hours'}
    """
    columns = [*features]
    absent = {feature.name: feature.absent for feature in columns if feature.absent is not None}
    filled = ", ".join(f"coalesce({name}, {value}) as {name}" for name, value in absent.items())
    return {
        "absent": f"replace ({filled})" if filled else "",
        "features": ",\n    ".join(f"{feature.name}::double as {feature.name}" for feature in columns),
    }
