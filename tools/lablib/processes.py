"""Starting processes that outlive the command which started them, and ending exactly those."""

import os
import signal
import subprocess
import time

from . import layout
from .shell import LabError, wait_until


def start_time(pid):
    """When the process started, in the kernel's ticks; None if there is none (a zombie is none)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        return None
    return int(fields[19])


class Processes:
    """The lab's processes by name, kept in the lab's state: {name: {pid, start}}. An id whose start time differs is not ours."""

    def __init__(self, records, save):
        self._records = records
        self._save = save

    def start(self, name, namespace, command, environment=None, pass_fds=()):
        """Starts `command` in a session of its own; its output goes to logs/NAME.log."""
        if self.alive(name):
            raise LabError(name, f"is running already (process {self.pid(name)})")
        layout.LOGS.mkdir(parents=True, exist_ok=True)
        words = ["ip", "netns", "exec", namespace] + [str(word) for word in command]
        with open(self.log(name), "ab") as log:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                     start_new_session=True, cwd="/", pass_fds=pass_fds,
                                     env={**os.environ, **(environment or {})})
        child.returncode = 0  # it is ended by its record, not by this object
        self._records[name] = {"pid": child.pid, "start": start_time(child.pid)}
        self._save()
        return child.pid

    def names(self):
        return list(self._records)

    def log(self, name):
        return layout.LOGS / f"{name}.log"

    def pid(self, name):
        record = self._records.get(name)
        return record["pid"] if record else None

    def alive(self, name):
        record = self._records.get(name)
        return bool(record) and record["start"] is not None and start_time(record["pid"]) == record["start"]

    def wait_ready(self, name, condition, seconds, what):
        """Waits until condition() holds; fails at once when the process ends before."""
        wait_until(lambda: not self.alive(name) or condition(), seconds)
        if not self.alive(name):
            raise LabError(name, "ended right after its start", self.log(name))
        if not condition():
            raise LabError(name, f"{what} not within {seconds} s", self.log(name))

    def send(self, name, number):
        if self.alive(name):
            os.kill(self.pid(name), number)

    def stop(self, name, first=signal.SIGTERM, patience=5):
        """Asks, waits, then insists; the whole process group goes. False when it had to be killed."""
        asked = True
        if self.alive(name):
            pid = self.pid(name)
            os.kill(pid, first)
            asked = wait_until(lambda: not self.alive(name), patience)
            _kill_group(pid)
            wait_until(lambda: not self.alive(name), 5)
        self.forget(name)
        return asked

    def kill(self, name):
        """kill -9, as an accident would: the process alone, not its group."""
        if self.alive(name):
            os.kill(self.pid(name), signal.SIGKILL)
            wait_until(lambda: not self.alive(name), 5)
        self.forget(name)

    def forget(self, name):
        if self._records.pop(name, None) is not None:
            self._save()


def _kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def end_all(pids):
    """Ends processes by id: asked first, killed when still there after two seconds."""
    known = {pid: start_time(pid) for pid in pids}
    for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 2)):
        left = [pid for pid, start in known.items() if start is not None and start_time(pid) == start]
        for pid in left:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        end = time.monotonic() + patience
        while left and time.monotonic() < end:
            left = [pid for pid in left if start_time(pid) == known[pid]]
            time.sleep(0.02)


def ancestors():
    """This process and those it descends from: never to be ended by our own cleaning."""
    found, pid = [], os.getpid()
    while pid > 0:
        found.append(pid)
        try:
            with open(f"/proc/{pid}/stat") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            break
    return found
