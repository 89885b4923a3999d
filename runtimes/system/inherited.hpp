// Resets inherited process state that a program must not depend on.
#pragma once

namespace crossover {

// To be called first in main, before the process opens anything or has a second thread. Closed standard
// descriptors are taken, so that nothing else gets their numbers; every signal is unblocked and acts as
// usual, but for those by which nohup and a shell say that the program shall go on; timers are stopped; new
// files can be read by their owner; and as many descriptors may be open as the administrator allows.
void forget_inherited();

}  // namespace crossover
