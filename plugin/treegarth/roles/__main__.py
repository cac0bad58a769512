"""Begin a role: `python -m treegarth.roles ROLE`."""

import gc
import sys
from importlib import import_module

gc.disable()  # while modules are loaded all that they make stays: to look through it is a quarter of that time
role = import_module(f"treegarth.roles.{sys.argv[1]}")
gc.freeze()  # nor need a full collection walk all modules later
gc.enable()
sys.exit(role.main())
