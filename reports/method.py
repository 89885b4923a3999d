"""How verdicts are made, in words, with the numbers of the code that makes them."""

from reports import statistics as s
from reports.latency import LEAST_BEYOND, OPEN_LOOP, OTHERWISE

METHOD = (
    "Rounds: every round visits all models of a case once, in random order, so that a slow moment of the machine hits all of them. A ratio is taken within each round; "
    "the estimate is the mean of the middle half of the log ratios, and need not be the quotient of the two medians that stand beside it. No sample is dropped for its value.",
    f"Interval: {s.RESAMPLES:,} resamples of whole rounds, the same rounds for all models, from a fixed seed; {100 * s.CONFIDENCE:.0f} % percentile interval, widened for few rounds. "
    f"With fewer than {s.LEAST_ROUNDS} rounds there is neither interval nor verdict.",
    f"Verdict: the best set holds the fastest model and all that are not shown to be more than {100 * (s.MARGIN - 1):.0f} % slower. Shown means that the one-sided "
    f"{100 * (1 + s.CLAIM_CONFIDENCE) / 2:.1f} % bound lies beyond that margin. One member: it wins. Several whose intervals all end below the margin: a tie. Otherwise they are not separated.",
    "Disturbed rounds: a visit is marked when other programs used over 25 % of the machine, the hypervisor over 2 %, a quota held us back, or memory ran short; half as many rounds again make up for them. "
    "Where the undisturbed rounds alone contradict the verdict on all of them, nothing is separated.",
    "A/A control: some models run a second time under another name, outside the verdicts. If a model is shown to differ from itself by more than the margin, the run is not trustworthy.",
    "Who competes: one model per family, named before anything was measured, chosen by what it supports. Other variants, the serial baseline and peers are shown with their ratios and do not compete; "
    "a full run stops the variants after the least rounds, so that more are left for what verdicts and claims are made of.",
    "The least possible time, of which a table shows what each model comes to, follows from the parameters (the waits), or is the least CPU time that serial, or a model that needed less, took, divided by the cores, or, where serial "
    "cannot tell, what the machine needs for the least that any model has to do, done without a model at the gate: the shortest time that any process of the case has measured.",
    "Latency counts from when a request should have been sent, so that a stall shows in every request that it delayed. Requests come at 50, 70 and 90 % of what the slowest model that competes "
    f"was measured to serve in the same run, at the same rate for all. The {100 * OPEN_LOOP:.0f}th percentile decides, of a heartbeat the {100 * OTHERWISE:.0f}th; a percentile is told only where at least {LEAST_BEYOND} values lie beyond it.",
    "CPU cost is the user and system time of the model's whole process tree, without the origin server. Memory is the peak resident size of the model's process; of several processes it is their proportional share, because peaks would count shared pages once for each. It holds what earlier cases left in the process; only where memory decides is the process a fresh one.",
)
