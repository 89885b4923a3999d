"""Is this machine fit to measure on? Asked by `crossover doctor`, and by whatever measures before it begins."""
