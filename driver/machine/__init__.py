"""The machine, and processes on it: its properties, limits and load, and child processes that do not outlive this
one."""
