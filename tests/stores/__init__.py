"""The whole job of Spacekeep on real stores of other vendors: `make stores`, or `python -m tests.stores ceph` for one.

Each module starts one kind of store, in a folder of its own, from Debian's packages or from PyPI: nothing is installed
on the machine (_software.py). _job.py does the work on it, with real web and worker processes and a clock that is
moved to the deadline. What a store can't do is what `setup_store` reports; that nothing is lost and all is deleted has
to hold on each of them.
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
