"""What rounds say, by statistics: the driver asks it when to stop, the reports what to say."""
