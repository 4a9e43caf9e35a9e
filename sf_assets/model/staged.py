"""Two stages, as production scores: one regression for companies whose accounts are known, one for the others."""

from functools import partial
from typing import ClassVar

import numpy as np

from sf_assets.features.configurations import IN_USE
from sf_assets.features.registry import BY_NAME, FINANCES
from sf_assets.model.calibrated import CalibratedMethod
from sf_assets.model.logistic import fit_regression, regression_base, regression_contributions, regression_typical
from sf_assets.model.matrix import Flags, Floats

# Below, the regression that never sees accounts scores every company.
_LEAST_FAILURES = 20


class StagedMethod(CalibratedMethod):
    """P(failure within 18 months) by the regression that suits what is known of a company.

    One regression learns from the companies whose accounts are known, with all features; the other learns from all of
    them, without the features of accounts, and scores those that filed none: their absence is then no longer a value to
    be guessed. Which one scores a row is read from the row: a feature of accounts is known, or none is.

    `features` are the features of a row, in order, `accounts` those that come from accounts, by default the ones the
    registry files under this theme. `C`, `max_iter` and `tol` are those of the regression, `seed` draws the companies
    that calibrate. `without_` and `with_` are the fitted pipelines; the latter is None when too few companies with
    accounts failed. What the choice of a stage adds to the log-odds is put down to the first feature of accounts.
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
        features: tuple[str, ...] = IN_USE,
        *,
        accounts: tuple[str, ...] | None = None,
        C: float = 0.01,  # noqa: N803
        max_iter: int = 500,
        tol: float = 1e-5,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.accounts = accounts
        self.C = C
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed

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
        if names is None:
            names = tuple(name for name in self.features if name in BY_NAME and BY_NAME[name].theme == FINANCES)
        return np.isin(self.features, names)

    def _known(self, matrix: Floats) -> Flags:
        return np.asarray(~np.isnan(matrix[:, self._of_accounts]).all(axis=1) & self._of_accounts.any())

    @property
    def typical_(self) -> Floats:
        """The usual value of each feature among the companies that taught it, in its own unit; 0 when none did."""
        usual = np.zeros(len(self.features))
        usual[~self._of_accounts] = regression_typical(self.without_)
        return usual if self.with_ is None else regression_typical(self.with_)
