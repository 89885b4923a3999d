"""How verdicts are made, in words, with the numbers of the code that makes them."""

from reports import statistics as s
from reports.control import FALSE_ALARM
from reports.deciding import AT_BOUND, CLEARLY_SLOWER, WIDEST
from reports.looks import LOOKS, MEMORY_LOOKS
from reports.latency import LEAST_BEYOND, OPEN_LOOP, OTHERWISE
from reports.model_or_implementation import LEAST_CASES, LEAST_FAMILIES
from reports.quantities import at_most
from reports.words import listed

_MARGIN = at_most(s.MARGIN - 1)

METHOD = (
    "Rounds: a round visits all models of a case once, so a slow moment of the machine hits all of them. A ratio is taken within each round. The estimate is the interquartile mean of the log ratios: "
    "it ignores up to a quarter of slow rounds on either side. It need not be the quotient of the two medians that stand beside it. No sample is dropped for its value.",
    "Interval: the standard error comes from the winsorised variance (Tukey and McLaughlin), the width from Student's t. Processes of one program differ a little for no reason of the program. "
    "So process is a random effect: where an F test at 5 % shows that processes differ, the means of the processes are the observations, not the rounds.",
    f"Looks: a case is looked at after {listed([str(look) for look in LOOKS])} rounds (where memory decides after {MEMORY_LOOKS[0]} to {MEMORY_LOOKS[-1]}), as long as there is time and it is open; when the run has ended, once more at all its rounds. "
    "Pocock's constant bounds keep the error over all looks: z = 2.65 for one-sided 2.5 %, z = 3.22 for one-sided 0.5 %, as quantiles of t. "
    f"The intervals that are shown ({100 * s.CONFIDENCE:.0f} %), ties and safe choices use the first, “slower”, “wins” and “ahead” the second.",
    f"Elimination: a model that a look shows to be more than {_MARGIN} slower than the best (one-sided 0.5 %) is out and gets no more rounds in this case. It comes back where it was measured on (for another metric), or another model leads, and a later look no longer says that it is slower; a ratio beside a verdict is that of its look. A model that was stopped before the first look was {CLEARLY_SLOWER}× slower in every round.",
    f"Words: wins: all others are more than {_MARGIN} slower. Ahead: all others are slower, the lead may be under {_MARGIN}. Tie: all of the best set are within {_MARGIN} of the best, or all are within {at_most(AT_BOUND - 1)} of the least possible time. "
    f"Tie within m: the same with the smallest m that is shown, at most {at_most(WIDEST)}. Open with a safe choice: none of these, but one model is at most {at_most(WIDEST)} from the best, whichever that is. Open: not even that. No verdict: nothing to compare, for the reason given.",
    "Safe choice: of every model of the best set the bound of how far it may be behind each of the others (2.5 %); the largest is its regret (Hsu's multiple comparison with the best). The safe choice has the smallest regret.",
    "Contradiction: a finished case gets two more rounds at the end. Where they differ from what was found by more than three standard errors, the case is open again. "
    "Disturbed rounds: a visit is marked when other programs used over 25 % of the machine, the hypervisor over 2 %, a quota held us back, or memory ran short. Where the undisturbed rounds alone contradict a verdict, it is open. Where over half of all visits were disturbed (grade D), nothing is judged by time or latency: a model of 256 threads then gets more of the cores than one of two. CPU cost is, and is marked.",
    f"A/A control: some models run a second time under another name, outside the verdicts, and are judged at the same looks. A twin that seems to win or to be ahead is a false alarm: {100 * FALSE_ALARM:.0f} in 100 comparisons is expected. "
    "A run is not trustworthy if it has more false alarms than nineteen of twenty sound runs.",
    "Who competes: one model per family, named before anything was measured, chosen by what it supports. Other variants, the serial baseline and peers are shown with their ratios and do not compete. They get fewer rounds, so that more are left for what verdicts and claims are made of. Native twins stand beside their models alone, in a section of their own.",
    f"Model or implementation: an implementation is what its model calls textbook, best or library; of each family that competes the one that stands for it takes part, and of its variants of the same size one for each other word. Pool sizes, chunks and executors are no implementations. "
    f"A kind of work is weighed where at least {LEAST_CASES} of its cases have several implementations of at least {LEAST_FAMILIES} families. The variance of the logarithm within cases is divided into that between families, that within them and that of measuring, which its rounds tell: a mixed model, cases as blocks, in which a textbook that is slower everywhere is no noise between families. "
    "The model's part holds what a family is everywhere and what it is in this case only. Intervals resample whole cases. Which matters more is said where the interval of the ratio leaves 1 out.",
    "The least possible time, of which a table shows what each model comes to, is the longer of two: what must be waited for (it follows from the parameters, or, where nothing waits, is what the machine needs for the least that any "
    "model has to do, done without a model at the gate: the shortest time that any process of the case has measured), and the least CPU time that any model needed for one iteration (its median) divided by the cores. "
    "A tie at the least possible time counts the first only: that is known before anything is measured.",
    "Latency counts from when a request should have been sent, so a stall shows in every request that it delayed. Requests come at 50, 70 and 90 % of what the slowest model that competes "
    f"was measured to serve in the same run, or of what the load generator can send with two fifths of its core if that is less; the rate is the same for all. So the time of such a case is given, and it has no verdict by time. The {100 * OPEN_LOOP:.0f}th percentile decides, of a heartbeat the {100 * OTHERWISE:.0f}th; a percentile is told only where at least {LEAST_BEYOND} values lie beyond it.",
    "CPU cost is the user and system time of the model's whole process tree, without the origin server. Memory is the peak resident size of the model's process; of several processes it is their proportional share, because peaks would count shared pages once for each. It holds what earlier cases left in the process; only where memory decides is the process a fresh one.",
)
