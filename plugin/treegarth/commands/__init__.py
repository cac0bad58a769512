"""What the commands of `treegarth` do; command_line.py only reads their arguments."""
