"""The wide-area path between a laptop and the cluster: a relay of frames (tools/wan) in a namespace between the two."""

import socket

from . import layout
from .shell import LabError, in_namespace

# What holds for each direction: milliseconds, milliseconds, percent, Mbit/s (0: no limit).
NONE = {"delay": 0.0, "jitter": 0.0, "loss": 0.0, "rate": 0.0}
SEED = 1
PART = "wan"


def words(settings):
    return " ".join(f"{name}={value:.9g}" for name, value in settings.items())


def describe(shown):
    """What show() gave, as a person reads it."""
    told = [f"{shown['delay']:g} ms each way"]
    if shown["jitter"]:
        told[0] += f" ± {shown['jitter']:g} ms"
    told.append(f"{shown['loss']:g} % loss")
    told.append(f"{shown['rate']:g} Mbit/s, a queue of {shown['queue'] / 1000:.0f} KB" if shown["rate"] else "no limit of rate")
    return ", ".join(told) + (", CUT" if shown["cut"] else "")


class Wan:
    """The path of one laptop."""

    def __init__(self, processes, number):
        self._processes = processes
        self.number = number
        self.name = f"wan{number}"
        self._socket = layout.RUN / f"{self.name}.sock"

    def start(self, settings, seed=SEED):
        """Both wires are there already. Until this returns nothing passes."""
        self.whole_segments(not _by_frame(settings))
        self._socket.unlink(missing_ok=True)
        command = [layout.WAN_RELAY, layout.wan_device(self.number, "near"), layout.wan_device(self.number, "far"),
                   "--control", self._socket, "--settings", words(settings), "--seed", seed]
        self._processes.start(self.name, layout.WAN, command)
        self._processes.wait_ready(self.name, self._socket.exists, 10, "no control socket")

    def show(self):
        """Settings, queue (bytes), cut, and counts since the start by direction: {NAME: number}."""
        return self._ask("show")

    def settings(self):
        shown = self.show()
        return {name: shown[name] for name in NONE}

    def set(self, **changes):
        """From now on; what is not named stays. Gives what show() does."""
        wanted = {**self.settings(), **changes}
        if _by_frame(wanted):
            self.whole_segments(False)
        try:
            return self._ask("set " + words(changes)) if changes else self.show()
        finally:
            if not _by_frame(self.settings()):
                self.whole_segments(True)

    def reset(self):
        self.heal()
        return self.set(**NONE)

    def cut(self):
        return self._ask("cut")

    def heal(self):
        return self._ask("heal")

    def whole_segments(self, on):
        """Whether the kernels at both ends may hand over segments for a device to cut. Each of them counts as many frames but
        would be lost or queued as one: where that matters they are cut before."""
        for namespace, device in ((layout.laptop(self.number), "eth0"), (layout.CLUSTER, f"laptop{self.number}")):
            word = "on" if on else "off"
            in_namespace(namespace, "ethtool", "-K", device, "tso", word, "tx-udp-segmentation", word, part=PART)

    def _ask(self, request):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
                sock.settimeout(5)
                sock.connect(str(self._socket))
                sock.send(request.encode())
                answer = sock.recv(65536).decode()
        except OSError as error:
            said = f"the relay of laptop {self.number} does not answer: {error}"
            raise LabError(PART, said, self._processes.log(self.name)) from None
        if answer.startswith("error: "):
            raise LabError(PART, answer.removeprefix("error: ").strip())
        return {name: float(value) for name, value in (line.split("=") for line in answer.splitlines())}


def _by_frame(settings):
    return settings["rate"] > 0 or settings["loss"] > 0
