"""What people decided about studies: who, when, why. Append only: a decision is taken back by another one."""
