"""The heavy loops in plain Python: the same numbers as the compiled kernels, and the same number of steps."""

WORD = (1 << 64) - 1
CHURN_A, CHURN_B = 6364136223846793005, 1442695040888963407


def sum_of_squares(n: int) -> int:
    return sum(i * i for i in range(n)) & WORD


def churn(seed: int, steps: int) -> int:
    for _ in range(steps):
        seed = (seed * CHURN_A + CHURN_B) & WORD
    return seed
