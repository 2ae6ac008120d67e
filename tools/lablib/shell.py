"""Running commands, and the one exception that says which part of the lab failed."""

import subprocess
import time


class LabError(Exception):
    """`part` failed because of `reason`; `log` is the file whose tail tells more."""

    def __init__(self, part, reason, log=None):
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason
        self.log = log


def run(*command, part=None, check=True, text=True, **options):
    """Runs a command to its end and gives its CompletedProcess; a failure names the command and what it said."""
    words = [str(word) for word in command]
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if options["stdin"] is None:
        del options["stdin"]
    try:
        result = subprocess.run(words, capture_output=True, text=text, **options)
    except FileNotFoundError as error:
        raise LabError(part or words[0], f"{error.filename} is not installed (tools/setup installs it)") from None
    except subprocess.TimeoutExpired:
        raise LabError(part or words[0], f"`{' '.join(words)}` did not end in {options['timeout']} s") from None
    if check and result.returncode != 0:
        said = result.stderr if text else result.stderr.decode(errors="replace")
        raise LabError(part or words[0], f"`{' '.join(words)}` failed ({result.returncode}): {said.strip()}")
    return result


def in_namespace(namespace, *command, **options):
    return run("ip", "netns", "exec", namespace, *command, **options)


def wait_until(condition, seconds, interval=0.02):
    """True as soon as condition() is, False when it has not become so in `seconds`."""
    end = time.monotonic() + seconds
    while True:
        if condition():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(interval)


def tail(path, lines=20):
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError:
        return ""
