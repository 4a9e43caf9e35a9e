"""Reading and writing of the warehouse: DuckLake tables whose months are replaced in one transaction."""

from sf_assets.engine.storage.content import OutOfScope
from sf_assets.engine.storage.frames import frame_of
from sf_assets.engine.storage.session import Session
from sf_assets.engine.storage.shape import SchemaMismatch
from sf_assets.engine.storage.warehouse import Warehouse
from sf_assets.engine.storage.writes import Write

__all__ = ["OutOfScope", "SchemaMismatch", "Session", "Warehouse", "Write", "frame_of"]
