#!/usr/bin/python3
"""Runs a program as a user who has nothing: no capability, no group, no way to get one back.

    as_user.py UID PROGRAM [ARGUMENT...]

The program is opened before the rights go, so it may lie in a folder which that user cannot enter.
"""

import ctypes
import os
import sys

PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38


def main():
    uid, program, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[2:]
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    binary = os.open(program, os.O_RDONLY)
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        if prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    os.execve(binary, arguments, os.environ)


if __name__ == "__main__":
    main()
