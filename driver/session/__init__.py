"""The open bench processes of a run, what they can measure, and the record of what they measured."""
