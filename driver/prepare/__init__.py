"""The steps before the rounds: building, choosing cells, calibrating them, and fitting them into the time."""
