"""Spacekeep's main job on real stores of other vendors: `make stores`, or `python -m tests.stores ceph` for one.

Each module starts one kind of store, in its own folder, from Debian's packages or from PyPI, without installing
anything on the machine (_software.py). _job.py does the job on it, with real web and worker processes and a clock that
is moved to the deadline. `setup_store` reports what a store cannot do; on each store nothing may be lost, and
everything must be deleted.
"""

from collections.abc import Callable
from pathlib import Path

from tests.stores._server import Server
from tests.stores.ceph import Ceph, CephOverTls
from tests.stores.moto import Moto
from tests.stores.rclone import Rclone
from tests.stores.swift import Swift

STORES: dict[str, Callable[[Path], Server]] = {
    "ceph": Ceph,
    "ceph-https": CephOverTls,
    "swift": Swift,
    "rclone": Rclone,
    "moto": Moto,
}
