"""Where the processor time of our two processes goes, by perf: microseconds for each 64 KiB of bulk, and for each request.

A sample belongs to the first step of STEPS that it fits: what the kernel was asked for, else the library or the part of the program
it was in. What the kernel does on behalf of others while one of ours runs (the app's end of a packet that we write, an interrupt)
counts as ours, as it takes our time. The apps, the services and the kernel's own threads are not in the table.
"""

import collections
import json
import re
import shutil
import subprocess
import tempfile

from .. import layout
from .contenders import LOAD_PORT
from .loads import Failed, finish, iperf, load

PERIOD = 100_000  # nanoseconds of processor time between two samples
BLOCK = 64 * 1024

KERNEL = (
    ("device: read", r"tun_chr_read_iter|tun_do_read"),
    ("device: write, with the app's TCP", r"tun_chr_write_iter|tun_get_user"),
    ("sockets: send", r"sock_sendmsg|__sys_sendmsg|__sys_sendto"),
    ("sockets: receive", r"sock_recvmsg|__sys_recvfrom|__sys_recvmsg"),
    ("waiting for what comes", r"epoll_wait|ep_poll"),
    ("timers", r"timerfd"),
)
LIBRARIES = (
    ("sealing and opening", r"libcrypto|libsodium"),
    ("libc: copies, clocks", r"libc\.so|vdso"),
    ("loop (libuv)", r"libuv"),
)
LWIP, ENGINE, REST = "lwIP", "engine and drivers", "the kernel's rest: entry, interrupts"
STEPS = [*(step for step, _ in KERNEL), *(step for step, _ in LIBRARIES), LWIP, ENGINE, REST]


def step_of(stack):
    """`stack`: (symbol, object) from the innermost frame outwards."""
    symbol, where = stack[0]
    for step, pattern in LIBRARIES:
        if re.search(pattern, where):
            return step
    if "kernel" in where:
        names = " ".join(frame for frame, _ in stack)
        return next((step for step, pattern in KERNEL if re.search(pattern, names)), REST)
    return LWIP if re.match(r"(tcp|pbuf|ip[46]|inet|lwip|memp?)_", symbol) else ENGINE


def steps_of(recording):
    """{pid: {step: microseconds}}"""
    text = subprocess.run(["perf", "script", "-i", recording, "-F", "pid,ip,sym,dso"], capture_output=True, text=True,
                          check=True).stdout
    found = collections.defaultdict(collections.Counter)
    for sample in text.split("\n\n"):
        lines = sample.strip().splitlines()
        frames = [match.groups() for match in (re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line) for line in lines[1:]) if match]
        if frames:
            found[int(lines[0])][step_of(frames)] += PERIOD / 1000
    return found


def recorded(pids, work):
    """Runs `work` while perf looks at the processes; (what it gave, {pid: {step: microseconds}})."""
    with tempfile.NamedTemporaryFile() as file:
        perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-c", str(PERIOD), "-g", "-o", file.name,
                                 "-p", ",".join(map(str, pids))], stderr=subprocess.PIPE, text=True)
        try:
            gave = work()
        finally:
            perf.terminate()
            said = perf.communicate()[1]
        if not gave:
            raise Failed(said[-200:])
        return gave, steps_of(file.name)


def measure(contender, seconds):
    """{what: {"laptop": {step: microseconds}, "cluster": ...}}, each for one of what was moved."""
    ends = {"laptop": contender.ends()[0], "cluster": contender.ends()[1]}
    pids = [pid for end in ends.values() for pid in end]

    def bulk(way):
        report = json.loads(finish(iperf(contender, layout.IPERF_PORTS[0], 1, way, seconds, 0), seconds))
        return report["end"]["sum_received"]["bytes"] / BLOCK

    def requests():
        return json.loads(finish(load("rr", contender, LOAD_PORT, seconds=seconds, warm_up=0), seconds))["requests"]

    found = {}
    for what, work in (("64 KiB up", lambda: bulk("up")), ("64 KiB down", lambda: bulk("down")), ("a request", requests)):
        count, steps = recorded(pids, work)
        found[what] = {end: {step: sum(steps[pid][step] for pid in members) / count for step in STEPS} for end, members in ends.items()}
    return found


def table(found):
    columns = [(what, end) for what in found for end in found[what]]
    lines = ["| microseconds | " + " | ".join(f"{what}: {end}" for what, end in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for step in STEPS:
        lines.append(f"| {step} | " + " | ".join(f"{found[what][end][step]:.1f}" for what, end in columns) + " |")
    lines.append("| all | " + " | ".join(f"{sum(found[what][end].values()):.1f}" for what, end in columns) + " |")
    return "\n".join(lines)


def missing():
    return None if shutil.which("perf") else "perf is not installed (linux-perf)"
