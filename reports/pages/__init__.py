"""The files of a report: drawn from a run, checked against their schemas, or put into the documentation."""
