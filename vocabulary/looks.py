"""After how many rounds a case is looked at."""

# Rounds of a case after which it is looked at while a run goes on, and at no others: any rule may choose among them
# when to stop. When the run has ended, it is looked at once more, at all that there is.
LOOKS = (6, 12, 24, 48, 96, 192, 384, 768)
LEAST_ROUNDS = LOOKS[0]  # fewer give no interval
MEMORY_LOOKS = (3, 6, 12, 24, 48, 96, 192, 384)  # memory hardly varies


def looks_of(deciding_metric: str) -> tuple[int, ...]:
    """Of a case whose workload is decided by that metric."""
    return MEMORY_LOOKS if deciding_metric == "memory" else LOOKS
