"""Two regressions, as in production: one for companies with known accounts, one for companies without."""

from functools import partial
from typing import ClassVar

import numpy as np

from sf_assets.features.registry import BY_NAME, FINANCES
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.logistic import fit_regression, regression_base, regression_contributions, regression_typical
from sf_assets.model.matrix import Flags, Floats

# With fewer failures among companies with accounts, the regression without accounts scores all companies.
_LEAST_FAILURES = 20


class StagedMethod(CalibratedMethod):
    """Probability of failure within 18 months by one of two regressions, depending on whether accounts are known.

    One regression learns from the rows with accounts, with all features, and scores such rows. The other learns from all
    rows, without the features of accounts, and scores the rows without: missing accounts are not imputed. A row has
    accounts when one of their features is known.

    The difference between the base values of the two regressions is added to the contribution of the first feature of
    accounts, so that contributions add up from the same base for all rows.

    Args:
        features: names of the features, in order; by default all columns of the table.
        accounts: names of the features of accounts, by default those of this theme in the registry.
        C: inverse strength of the penalty of both regressions.
        max_iter: largest number of iterations of lbfgs.
        tol: tolerance at which lbfgs stops.
        seed: seed of the draw of companies that calibrate.
        draws: how many fifths of the companies calibrate in turn, see `CalibratedMethod`.

    Attributes:
        without_: the fitted pipeline without accounts.
        with_: the fitted pipeline with accounts, None when fewer than twenty rows with accounts fail.

    """

    name: ClassVar[str] = "deux_etages"
    label: ClassVar[str] = "Régression logistique en deux étages (avec et sans comptes)"
    trusted: ClassVar[tuple[str, ...]] = (
        "sf_assets.model.staged.StagedMethod",
        "sf_assets.model.logistic.Tame",
        "numpy.dtype",
    )

    def __init__(
        self,
        features: tuple[str, ...] | None = None,
        *,
        accounts: tuple[str, ...] | None = None,
        C: float = 0.01,  # noqa: N803
        max_iter: int = 500,
        tol: float = 1e-5,
        seed: int = 0,
        draws: int | None = None,
    ) -> None:
        self.features = features
        self.accounts = accounts
        self.C = C
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed
        self.draws = draws

    def _learn(self, matrix: Floats, target: Flags, weights: Floats) -> None:
        fit = partial(fit_regression, C=self.C, max_iter=self.max_iter, tol=self.tol)
        self.without_ = fit(matrix[:, ~self._of_accounts], target, weights)
        known = self._known(matrix)
        enough = target[known].sum() >= _LEAST_FAILURES and (~target[known]).any()
        self.with_ = fit(matrix[known], target[known], weights[known]) if enough else None

    def _raw(self, matrix: Floats) -> Floats:
        raw = np.asarray(self.without_.decision_function(matrix[:, ~self._of_accounts]))
        known = self._known(matrix)
        if self.with_ is not None and known.any():
            raw[known] = self.with_.decision_function(matrix[known])
        return raw

    def _raw_contributions(self, matrix: Floats) -> Floats:
        of_accounts = self._of_accounts
        parts = np.zeros_like(matrix)
        parts[:, ~of_accounts] = regression_contributions(self.without_, matrix[:, ~of_accounts])
        known = self._known(matrix)
        if self.with_ is not None and known.any():
            parts[known] = regression_contributions(self.with_, matrix[known])
            parts[known, np.argmax(of_accounts)] += regression_base(self.with_) - self._raw_base
        return parts

    @property
    def _raw_base(self) -> float:
        return regression_base(self.without_)

    @property
    def _of_accounts(self) -> Flags:
        names = self.accounts
        unknown = [name for name in names or () if name not in self.features_]
        if unknown:
            raise ValueError(
                f"accounts: expected some of the features {', '.join(self.features_)}, found {', '.join(unknown)}"
            )
        if names is None:
            names = tuple(name for name in self.features_ if name in BY_NAME and BY_NAME[name].theme == FINANCES)
        return np.isin(self.features_, names)

    def _known(self, matrix: Floats) -> Flags:
        return np.asarray(~np.isnan(matrix[:, self._of_accounts]).all(axis=1) & self._of_accounts.any())

    @property
    def _raw_typical(self) -> Floats:
        """The training mean of each feature, in its own unit; 0 for features of accounts when `with_` is None."""
        typical = np.zeros(len(self.features_))
        typical[~self._of_accounts] = regression_typical(self.without_)
        return typical if self.with_ is None else regression_typical(self.with_)

    @property
    def n_iter_(self) -> int:
        """The most iterations of lbfgs in a draw, for companies without accounts."""
        return max((draw.n_iter_ for draw in self.draws_), default=0) or int(self.without_["logit"].n_iter_[0])
