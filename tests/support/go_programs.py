"""Build the Go programs of `make third-party` without the network.

golang.org/x/mod comes from the sources of the Go toolchain, which uses it to verify modules. Other modules come from
folders of the caller.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

GO = os.environ.get("GO", "")


def build(main: str, folder: Path, modules: Mapping[str, Path], stubs: Sequence[str] = ()) -> Path:
    """Build the package `main` of the module in `folder`, and return the program. `modules`: {path: source folder}.
    `stubs`: modules that others require, but of which no package is used."""
    requirements, replacements = [], []
    for module in [*modules, *stubs]:
        source = modules.get(module) or _stub(module, folder)
        requirements.append(f"{module} v0.0.0")
        replacements.append(f"replace {module} => {source}")
    name = _module_name(folder)
    text = f"module {name}\n\ngo 1.26\n\nrequire (\n" + "\n".join(requirements) + "\n)\n\n" + "\n".join(replacements)
    (folder / "go.mod").write_text(text + "\n")
    program = folder / "program"
    run("build", "-o", str(program), main, cwd=folder)
    return program


def run(*arguments: str, cwd: Path) -> str:
    offline = {"GOPROXY": "off", "GOSUMDB": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    cache = Path(GO).parent.parent / "cache"
    folders = {"GOCACHE": str(cache / "build"), "GOPATH": str(cache / "path")}
    done = subprocess.run(
        [GO, *arguments], cwd=cwd, env=os.environ | offline | folders, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def copy_sumdb(folder: Path) -> Path:
    """Copy golang.org/x/mod/sumdb from the toolchain, as a module, and return its folder."""
    root = Path(run("env", "GOROOT", cwd=folder).strip())
    copy = folder.parent / "x-mod"
    shutil.copytree(root / "src/cmd/vendor/golang.org/x/mod", copy, dirs_exist_ok=True)
    (copy / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.25\n")
    return copy


def versions(folder: Path) -> str:
    """Return the versions of the toolchain and of its golang.org/x/mod."""
    root = Path(run("env", "GOROOT", cwd=folder).strip())
    lines = (root / "src/cmd/go.mod").read_text().splitlines()
    (mod,) = [line.split()[1] for line in lines if line.strip().startswith("golang.org/x/mod ")]
    return f"{run('env', 'GOVERSION', cwd=folder).strip()}, golang.org/x/mod {mod}"


def _module_name(folder: Path) -> str:
    path = folder / "go.mod"
    return path.read_text().split("\n", 1)[0].removeprefix("module ") if path.exists() else "check"


def _stub(module: str, folder: Path) -> Path:
    place = folder.parent / "stubs" / module
    place.mkdir(parents=True, exist_ok=True)
    (place / "go.mod").write_text(f"module {module}\n")
    return place
