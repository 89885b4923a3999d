// Copies the input, runs the item, copies the output. A signal tells it to stop a batch, and interrupts
// blocking calls.
#include "runtimes/processes/pipes/worker.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <span>
#include <string_view>

#include "runtimes/processes/interruption.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover::pipes {

namespace {

// What there is to note of an item is sent to the caller, who judges it.
class reply {
  public:
    explicit reply(line& over) : line_(over) {}

    bool note(ended how, std::size_t, std::string_view text = {}, int signal = 0) noexcept {
        line_.begin();
        line_.add_object(answer{how, signal});
        line_.add(std::as_bytes(std::span(text)));
        how_ = how;
        return false;
    }

    ended how() const { return how_; }

  private:
    line& line_;
    ended how_ = ended::well;
};

}  // namespace

void worker::serve() {
    of_this_process.store(this);
    processes::allow_interruption(&worker::stop);
    while (line_.receive(true) == line::state::complete) {
        const auto o = line_.take<order>();
        switch (o.what) {
            case order::kind::first_item:
                open(line_.take<batch_order>());
                run(o.item);
                break;
            case order::kind::item:
                run(o.item);
                break;
            case order::kind::report:
                line_.begin();
                line_.add_object(own_usage());
                break;
        }
        if (!line_.send(true)) break;
    }
    ::_exit(0);
}

void worker::open(const batch_order& b) {
    batch_ = b;
    inputs_.resize(b.inputs);
    line_.take(std::as_writable_bytes(std::span(inputs_)));
    outputs_.resize(b.outputs);
    line_.take(std::as_writable_bytes(std::span(outputs_)));
    for (const extent& e : inputs_)
        if (e.stride == 0) line_.take(e.of(0));
    stoppable_.store(nullptr);
    if (b.deadline == never)
        state_.emplace(stop_state::by_signal{});
    else
        state_.emplace(nullptr, b.deadline);
    stoppable_.store(&*state_);
}

void worker::run(std::size_t item) {
    for (const extent& e : inputs_)
        if (e.stride != 0) line_.take(e.of(item));
    context ctx(parker_, &*state_);
    reply to_caller(line_);
    run_noted(to_caller, item, [&] {
        check(ctx.stop());
        batch_.call(ctx, batch_.batch, item).finish();
    });
    if (to_caller.how() != ended::well) return;
    for (const extent& e : outputs_) line_.add(e.of(item));
}

// The signal is repeated until the item has ended: it may come before the batch is open, or just before a
// call that blocks.
void worker::stop(int) {
    const int before = errno;
    worker& self = *of_this_process.load();
    if (stop_state* s = self.stoppable_.load()) s->raise();
    self.parker_.wake();
    errno = before;
}

}  // namespace crossover::pipes
