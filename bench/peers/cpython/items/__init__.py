"""What the items of each workload do, and how their outputs are verified."""
