"""Runs a module of this package as a program: what the scripts in tools/ end in. Leaves the environment as it is."""

import os
import runpy
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
runpy.run_module(f"lablib.{sys.argv.pop(1)}", run_name="__main__")
