"""The suite's workloads in CPython, as models that speak the --serve protocol (bench/README.md)."""
