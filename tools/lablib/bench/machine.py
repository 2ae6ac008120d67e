"""What processes and the machine use, from /proc: CPU seconds, memory, wake-ups."""

import os
import re
import resource

from .. import layout, netns

TICKS = os.sysconf("SC_CLK_TCK")
BUSY = 0.10  # when others used more than this share of the machine's capacity, a measurement was disturbed


def cpu_of(pid):
    """CPU seconds of one process with all its threads; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy():
    """CPU seconds that all cores together were not idle. What a hypervisor took counts: it was not ours to use."""
    with open("/proc/stat") as file:
        user, nice, system, _idle, _wait, irq, softirq, steal = (int(word) for word in file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def family(pid):
    """A process and what descends from it."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                todo += [int(word) for word in file.read().split()]
        except OSError:
            continue
    return found


def memory(pids):
    """{"pss", "anonymous"} in bytes."""
    total = {"pss": 0, "anonymous": 0}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            text = file.read()
        for key, word in (("pss", "Pss"), ("anonymous", "Anonymous")):
            total[key] += int(re.search(rf"^{word}:\s+(\d+) kB", text, re.M).group(1)) * 1024
    return total


def wake_ups(pids):
    """How often their threads have gone to sleep since they started."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status") as file:
                total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))
    return total


class Watch:
    """Looks at the machine before and after a measurement.

    own: CPU seconds of `pids`; machine: of everything; foreign: the share of the machine's capacity that went to nobody of the lab.
    """

    def __init__(self, pids):
        self._pids = list(pids)

    def __enter__(self):
        self._before = self._look()
        return self

    def __exit__(self, *_error):
        after = self._look()
        spent = {key: after[key] - self._before[key] for key in after}
        self.own, self.machine = spent["own"], spent["machine"]
        capacity = max(spent["wall"] * os.cpu_count(), 1e-3)
        self.foreign = max(0.0, spent["machine"] - spent["ours"]) / capacity

    def _look(self):
        # Programs that have ended were children of ours and are counted there. In processes of the lab that live on, time only grows.
        spaces = (layout.CLUSTER, layout.HOME, layout.WAN, layout.laptop(1))
        lab = {pid for space in spaces for pid in netns.processes_in(space)}
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        self_ = resource.getrusage(resource.RUSAGE_SELF)
        return {"own": sum(map(cpu_of, self._pids)), "machine": busy(), "wall": os.times().elapsed,
                "ours": sum(map(cpu_of, lab)) + ended.ru_utime + ended.ru_stime + self_.ru_utime + self_.ru_stime}
