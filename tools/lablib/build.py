"""The build that the scripts share: packages and sources by tools/setup, then Meson and Ninja into build/."""

import os
import subprocess
import sys

from . import layout
from .shell import LabError


def _step(part, command, log, quiet):
    """Runs with its output to `log`, or to our own output when `quiet` is false."""
    with open(log, "wb") if quiet else open(os.devnull, "wb") as sink:
        output = sink if quiet else None
        result = subprocess.run([str(word) for word in command], cwd=layout.ROOT, stdin=subprocess.DEVNULL,
                                stdout=output, stderr=subprocess.STDOUT if quiet else None)
    if result.returncode != 0:
        raise LabError(part, f"`{' '.join(str(word) for word in command)}` failed", log if quiet else None)


def setup(groups=("build", "lab")):
    _step("tools/setup", [layout.ROOT / "tools/setup", *groups], None, quiet=False)


def build(targets=(), folder=layout.BUILD, options=()):
    """Configures when needed and builds; the output is shown only when it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "build.log"
    if not (folder / "build.ninja").exists():
        _step("meson", ["meson", "setup", *options, folder, layout.ROOT], log, quiet=True)
    command = ["ninja", "-C", folder, *targets]
    if sys.stdout.isatty() and not targets:
        _step("build", command, log, quiet=False)
    else:
        _step("build", command, log, quiet=True)


def programs():
    """What a lab runs, as Ninja targets."""
    return [str(path.relative_to(layout.BUILD)) for path in (layout.TUNCTL, layout.TUND, layout.GATEWAY, layout.WAN_RELAY)]
