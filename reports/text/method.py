"""How verdicts are made, in words, with the numbers of the code that makes them."""

from reports.analysis.model_or_implementation import LEAST_CASES, LEAST_FAMILIES
from reports.cases.phrases import listed
from reports.cases.quantities import at_most
from verdicts import statistics as s
from verdicts.aa_control import FALSE_ALARM
from verdicts.deciding import AT_BOUND, CLEARLY_SLOWER, WIDEST
from vocabulary.latency import LEAST_BEYOND, OPEN_LOOP, OTHERWISE
from vocabulary.looks import LOOKS, MEMORY_LOOKS

_MARGIN = at_most(s.MARGIN - 1)

METHOD = (
    (
        "Rounds: a round visits all models of a case once, so a slow moment of the machine affects all of them. A ratio"
        " is taken within each round. The estimate is the interquartile mean of the log ratios. It ignores up to a"
        " quarter of slow rounds on either side, and need not equal the quotient of the two medians shown beside it. No"
        " sample is dropped for its value."
    ),
    (
        "Interval: the standard error comes from the winsorised variance (Tukey and McLaughlin), the width from"
        " Student's t. Two processes of the same program differ a little by chance. So process is a random effect: if"
        " an F test at 5 % shows that processes differ, the means of the processes are the observations, not the"
        " rounds."
    ),
    (
        f"Looks: a case is judged after {listed([str(look) for look in LOOKS])} rounds (if memory decides, after"
        f" {MEMORY_LOOKS[0]} to {MEMORY_LOOKS[-1]}) while it is open and time remains, and once more at the end of the"
        " run, on all its rounds. Pocock's constant bounds control the error over all looks: z = 2.65 for one-sided"
        f" 2.5 %, z = 3.22 for one-sided 0.5 %, as quantiles of t. The shown intervals ({100 * s.CONFIDENCE:.0f} %),"
        " ties and safe choices use the first; “slower”, “wins” and “ahead” use the second."
    ),
    (
        f"Elimination: a model that a look shows to be more than {_MARGIN} slower than the best (one-sided 0.5 %) is"
        " out and gets no more rounds in this case. It returns if it was measured further for another metric, or if"
        " another model leads, and a later look no longer shows it to be slower. A ratio beside a verdict is that of"
        f" its look. A model that was stopped before the first look was {CLEARLY_SLOWER}× slower in every round."
    ),
    (
        f"Words: wins: all others are more than {_MARGIN} slower. Ahead: all others are slower, but the lead may be"
        f" under {_MARGIN}. Tie: all of the best set are within {_MARGIN} of the best, or all are within"
        f" {at_most(AT_BOUND - 1)} of the least possible time. Tie within m: the same with the smallest m that is"
        f" shown, at most {at_most(WIDEST)}. Open with a safe choice: none of these, but one model is at most"
        f" {at_most(WIDEST)} from the best, whichever that is. Open: not even that. No verdict: there is nothing to"
        " compare, for the reason given."
    ),
    (
        "Safe choice: each model of the best set has a bound on how far it may be behind each of the others (2.5 %)."
        " The largest of these is its regret (Hsu's multiple comparison with the best). The safe choice has the"
        " smallest regret."
    ),
    (
        "Contradiction: a finished case gets two more rounds at the end. If they differ from the earlier result by more"
        " than three standard errors, the case is open again. Disturbed rounds: a visit is marked if other programs"
        " used over 25 % of the machine, the hypervisor used over 2 %, a quota held the run back, or memory ran short."
        " If the undisturbed rounds alone contradict a verdict, the case is open. If over half of all visits were"
        " disturbed (grade D), nothing is judged by time or latency, because a model of 256 threads then gets more of"
        " the cores than one of two. CPU cost is judged, and marked."
    ),
    (
        "A/A control: some models run a second time under another name, outside the verdicts, and are judged at the"
        f" same looks. If such a pair seems to have a winner, that is a false alarm: {100 * FALSE_ALARM:.0f} in 100"
        " comparisons is expected. A run is not trustworthy if it has more false alarms than nineteen of twenty sound"
        " runs."
    ),
    (
        "Who competes: one model per family, named before anything is measured and chosen by what it supports. Other"
        " variants, the serial baseline and peers are shown with their ratios and do not compete. They get fewer"
        " rounds, so that verdicts and claims get more. Native twins are shown only beside their models, in a section"
        " of their own."
    ),
    (
        "Model or implementation: a model's implementations are called textbook, best or library. Of each competing"
        " family its representative takes part, and one variant of the same size for each other word. Pool sizes,"
        f" chunks and executors are not implementations. A kind of work is weighed if at least {LEAST_CASES} of its"
        f" cases have several implementations of at least {LEAST_FAMILIES} families. The variance of the logarithm"
        " within cases is divided into three parts: between families, within families, and measurement, which the"
        " rounds show. This is a mixed model with cases as blocks, so a textbook that is slower everywhere is not"
        " noise between families. The model's part includes what a family does everywhere and what it does only in one"
        " case. Intervals resample whole cases. The report says which matters more if the interval of the ratio"
        " excludes 1."
    ),
    (
        "The least possible time is the longer of two times. The first is what must be waited for; it follows from the"
        " parameters. If nothing waits, it is the time this machine needs for the least work that any model must do,"
        " measured in the check pass without a model (the shortest time that any process of the case measured). The"
        " second is the least CPU time that any model needed for one iteration (its median), divided by the cores. A"
        " tie at the least possible time uses only the first, which is known before the rounds."
    ),
    (
        "Latency counts from when a request should have been sent, so a stall shows in every request that it delayed."
        " Requests come at 50, 70 and 90 % of what the slowest competing model could serve in the same run, or of what"
        " the load generator can send with two fifths of its core if that is less. The rate is the same for all. So"
        f" such a case reports its time but has no verdict by time. The {100 * OPEN_LOOP:.0f}th percentile decides; for"
        f" a heartbeat the {100 * OTHERWISE:.0f}th. A percentile is given only if at least {LEAST_BEYOND} values lie"
        " beyond it."
    ),
    (
        "CPU cost is the user and system time of the model's whole process tree, without the origin server. Memory is"
        " the peak resident size of the model's process. For several processes it is their proportional share, because"
        " peaks would count shared pages once per process. It includes what earlier cases left in the process; only if"
        " memory decides is the process a fresh one."
    ),
)
