// job_batch: taking jobs in turn.
#include "runtimes/event_loop/combinators/job_batch.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>

namespace crossover::asyncio {

job_batch::job_batch(std::size_t n, std::size_t in_flight, job_function job, ended_function ended,
                     void* context)
    : n_(n), in_flight_(in_flight), job_(job), ended_(ended), context_(context), end_(*this) {
    if (n > UINT32_MAX) throw std::invalid_argument("a batch holds at most 2^32 - 1 jobs");
    if (in_flight == 0) throw std::invalid_argument("a batch needs at least one job in flight");
}

job_batch::~job_batch() {
    // Only when the loop is torn down are there jobs left, which it destroys without telling.
    if (alive_ != 0)
        for (task_state* t : loop_->tasks()) unsubscribe(t->result, end_);
    if (lanes_) frame_pool::release(lanes_, lane_count_ * sizeof(lane));
}

void job_batch::await_suspend(std::coroutine_handle<> h) {
    loop_ = running_loop;
    waiter_ = loop_->current();
    lane_count_ = std::min({n_, in_flight_, most_lanes});
    lanes_ = static_cast<lane*>(frame_pool::allocate(lane_count_ * sizeof(lane)));
    for (std::size_t i = lane_count_; i > 0; --i)
        loop_->make_ready_ahead(*::new (lanes_ + i - 1) lane(*this));
    queued_ = lane_count_;
    park(*waiter_, h, *this);
}

void job_batch::await_resume() const {
    if (waiter_) check_interrupt(*waiter_);
}

void job_batch::run_lane(node& n) {
    struct turn {
        explicit turn(lane& l) noexcept : self(l), batch(l.owner) {}
        ~turn() {
            if (batch.next_ < batch.n_ && batch.alive_ + batch.queued_ <= batch.in_flight_) {
                batch.loop_->make_ready(self);
            } else {
                --batch.queued_;
                if (batch.next_ < batch.n_)
                    batch.idle_.push_back(self);
                else
                    batch.end_if_done();
            }
        }
        lane& self;
        job_batch& batch;
    } const turn(static_cast<lane&>(n));
    if (turn.batch.next_ < turn.batch.n_) turn.batch.start_next();
}

void job_batch::start_next() {
    const std::size_t index = next_++;
    coro<void> started;
    try {
        started = job_(context_, index);
    } catch (const loop_exit&) {
        throw;
    } catch (...) {
        return ended_(context_, index, std::current_exception());
    }
    if (started.done()) return ended_(context_, index, nullptr);
    task_state& t = task_code<void>::adopt(*loop_, std::move(started));
    loop_->enlist(t, {});
    t.serial = static_cast<std::uint32_t>(index);
    subscribe(t.result, end_);
    ++alive_;
    t.run(t);
}

void job_batch::on_end(completion& c, outcome& o) {
    job_batch& b = static_cast<job_end&>(c).owner;
    --b.alive_;
    const std::size_t index = task_state::of(o).serial;
    if (o.state == phase::finished)
        b.ended_(b.context_, index, nullptr);
    else if (o.get_error())
        b.ended_(b.context_, index, o.get_error());
    else
        b.ended_(b.context_, index, std::make_exception_ptr(cancelled_error()));
    o.clear(flag::unretrieved);
    if (b.next_ < b.n_) {
        if (!b.idle_.empty()) {
            ++b.queued_;
            b.loop_->make_ready(b.idle_.pop_front());
        }
        return;
    }
    b.end_if_done();
}

void job_batch::end_if_done() noexcept {
    if (alive_ != 0 || queued_ != 0 || !waiter_) return;
    waiter_->awaiting = nullptr;
    loop_->make_ready_ahead(*waiter_);
}

void job_batch::stop() {
    if (std::exchange(stopped_, true)) return;
    next_ = n_;
    // Those that run right now end by themselves or at their next wait; cancelling changes no list before the
    // next step.
    std::vector<task_state*> alive;
    if (alive_ != 0)
        for (task_state* t : loop_->tasks())
            if (t->result.callbacks == &end_) alive.push_back(t);
    for (task_state* t : alive) t->cancel({});
    // With nothing alive or queued, whoever called stop() ends the batch.
}

bool job_batch::cancel(task_state& t, std::string_view message) {
    if (alive_ == 0 && queued_ == 0) return false;  // ended, and woken
    interrupt(t, message);
    stop();
    return true;
}

std::string job_batch::describe() const {
    return "a batch of " + std::to_string(n_) + " jobs, " + std::to_string(alive_) + " alive";
}

}  // namespace crossover::asyncio
