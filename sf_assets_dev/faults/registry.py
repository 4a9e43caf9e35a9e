"""A catalogue of what goes wrong, each fault with the check that must refuse it, and the trial that shows it does.

`deliveries` spoils files of a batch, `derived` rows of tables; `trial` plays a fault on a deployment and tells whether it
was caught, whether what follows stayed untouched, and whether a good delivery cleared it.
"""

from sf_assets_dev.faults import deliveries, derived
from sf_assets_dev.faults.description import Fault, FileFault, TableFault

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*deliveries.FAULTS, *derived.FAULTS)}

__all__ = ["FAULTS", "Fault", "FileFault", "TableFault"]
