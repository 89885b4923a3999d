"""The names of the files in the results folder of a run."""

RUN = "run.json"
JOURNAL = "samples.jsonl"
VERDICTS = "verdicts.json"
