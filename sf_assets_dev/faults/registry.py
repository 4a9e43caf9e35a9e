"""The catalogue of faults: those of delivered files (`deliveries`) and those of computed tables (`derived`).

Each names the check that must catch it; `trial` plays a fault on a deployment.
"""

from sf_assets_dev.faults import deliveries, derived
from sf_assets_dev.faults.description import Fault, FileFault, TableFault

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*deliveries.FAULTS, *derived.FAULTS)}

__all__ = ["FAULTS", "Fault", "FileFault", "TableFault"]
