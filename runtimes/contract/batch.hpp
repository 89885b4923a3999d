// The rules of a running batch, kept the same way in every model: what stops it, its first error, how many
// have ended.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "runtimes/contract/policy.hpp"
#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// Whether a batch has been stopped. A nested batch that can stop by itself hangs its own state under the
// outer one; one that cannot shares the outer state, so that trees of batches cost nothing here. Lies in
// memory that all workers see.
class stop_state {
  public:
    explicit stop_state(const stop_state* outer = nullptr, time_point deadline = never)
        : outer_(outer), deadline_(deadline) {}

    // One without a deadline, whose raiser interrupts blocked system calls by a signal: they need not watch
    // it, unless there is one around it that they must watch.
    struct by_signal {};
    explicit stop_state(by_signal, const stop_state* outer = nullptr)
        : outer_(outer), deadline_(never), interrupts_(!outer || outer->interrupts_) {}
    stop_state(const stop_state&) = delete;
    stop_state& operator=(const stop_state&) = delete;

    // The batch or one around it has been stopped. Does not look at the clock: see over(). In one order with
    // raise(): who stops raises it and then looks for those that wait, and they do the reverse.
    bool raised() const {
        for (const stop_state* s = this; s; s = s->outer_)
            if (s->raised_.load(std::memory_order_seq_cst)) return true;
        return false;
    }

    void raise() { raised_.store(true, std::memory_order_seq_cst); }
    // For the next batch, once nothing runs under it.
    void lower() { raised_.store(false, std::memory_order_seq_cst); }

    // The earliest deadline of this batch and those around it.
    time_point deadline() const {
        time_point first = never;
        for (const stop_state* s = this; s; s = s->outer_)
            if (s->deadline_ < first) first = s->deadline_;
        return first;
    }

    // The batch or one around it has been stopped, or its deadline has passed. Reads the clock only if there
    // is one.
    bool over() const {
        if (interrupts_) return raised();  // no deadline is around it
        time_point first = never;
        for (const stop_state* s = this; s; s = s->outer_) {
            if (s->raised_.load(std::memory_order_seq_cst)) return true;
            if (s->deadline_ < first) first = s->deadline_;
        }
        return first != never && std::chrono::steady_clock::now() >= first;
    }

    // True once the own deadline has passed.
    bool expired() const { return deadline_ != never && std::chrono::steady_clock::now() >= deadline_; }

    const stop_state* outer() const { return outer_; }
    bool interrupts() const { return interrupts_; }

  private:
    std::atomic<bool> raised_{false};
    const stop_state* outer_;
    time_point deadline_;
    bool interrupts_ = false;
};

// First thing in every verb: throws `cancelled` when the batch has been stopped or its deadline has passed.
inline void check(const stop_state* stop) {
    if (stop && stop->over()) [[unlikely]]
        throw cancelled();
}

// The first error of a batch, as text, so that it can come from another process.
class first_error {
  public:
    // Of several callers one wins, in any thread or process. The first death of a worker (`signal`) replaces
    // an error that is recorded already, for that may be what the death did to another item; deaths come
    // from one thread.
    void record(std::size_t index, std::string_view text, int signal = 0, bool refused = false) noexcept {
        if (claimed_.exchange(true, std::memory_order_acq_rel)) {
            const bool replaces = signal != 0 && written_.load(std::memory_order_acquire) && signal_ == 0;
            if (!replaces) return;
        }
        index_ = index;
        signal_ = signal;
        refused_ = refused;
        std::size_t length = text.copy(what_, sizeof what_ - 1);
        what_[length] = '\0';
        written_.store(true, std::memory_order_release);
    }

    bool any() const { return claimed_.load(std::memory_order_acquire); }

    // Throws the recorded error. Call only after all items have ended.
    [[noreturn]] void rethrow() const {
        if (signal_ != 0) throw worker_died(index_, signal_);
        if (!written_.load(std::memory_order_acquire))
            throw item_error(index_, "unknown: its worker died while it reported");
        if (refused_) throw item_refused(index_, what_);
        throw item_error(index_, what_);
    }

  private:
    std::atomic<bool> claimed_{false};
    std::atomic<bool> written_{false};
    bool refused_ = false;
    int signal_ = 0;
    std::size_t index_ = 0;
    char what_[256];  // left as it is: clearing it took a quarter of the time of a small nested batch
};

// What an item ended with. Refused: badly, by the environment.
enum class ended { well, badly, refused, cancelled };

// What all models share of one run: they differ in how items are handed out and in how they wait.
class batch_state {
  public:
    batch_state(const policy& rules, const stop_state* outer)
        : rules_(rules), stop_(outer, rules.deadline), watched_(rules.cannot_stop() ? outer : &stop_) {}

    // The state that the items look at.
    const stop_state* stop() const { return watched_; }
    const policy& rules() const { return rules_; }

    // Whether further items may start. Raises the stop when the deadline has passed.
    bool stopped() {
        const stop_state* s = stop();
        if (!s || !s->over()) return false;
        if (!stop_.raised() && stop_.expired()) stop_.raise();
        return true;
    }

    // Notes how an item ended; true when this very item stops the batch, so that the caller wakes what waits.
    bool note(ended end, std::size_t index, std::string_view text = {}, int signal = 0) noexcept {
        if (end == ended::badly || end == ended::refused) {
            error_.record(index, text, signal, end == ended::refused);
            if (rules_.stop != until::first_error && signal == 0) return false;
            stop_.raise();
            return true;
        }
        if (end == ended::well && rules_.stop == until::first_result) {
            succeeded_.store(true, std::memory_order_release);
            stop_.raise();
            return true;
        }
        if (end == ended::cancelled && !stop_.raised() && stop_.expired())
            stop_.raise();  // its verb saw the deadline first
        return false;
    }

    // Stops the batch from outside its items, as its deadline does.
    void raise() { stop_.raise(); }

    // After all items have ended: throws the error of the batch, if it has one.
    void finish() const {
        if (rules_.stop == until::first_result && succeeded_.load(std::memory_order_acquire)) return;
        if (error_.any()) error_.rethrow();
        if (stop_.outer() && stop_.outer()->over()) throw cancelled();
        if (stop_.raised() || stop_.expired()) throw timed_out("the batch passed its deadline");
    }

  private:
    policy rules_;
    stop_state stop_;
    const stop_state* watched_;
    first_error error_;
    std::atomic<bool> succeeded_{false};
};

// Runs `body` (the whole of one item) and notes in `batch`, a batch_state or what has its note(), how it
// ended; true as in batch_state::note.
template <class Batch, class Body>
bool run_noted(Batch& batch, std::size_t index, Body&& body) noexcept {
    try {
        body();
    } catch (const cancelled&) {
        return batch.note(ended::cancelled, index);
    } catch (const refused& e) {
        return batch.note(ended::refused, index, e.what());
    } catch (const item_refused& e) {  // of a nested batch
        return batch.note(ended::refused, index, e.what());
    } catch (const std::system_error& e) {
        return batch.note(is_withheld(e.code().value()) ? ended::refused : ended::badly, index, e.what());
    } catch (const worker_lost& e) {
        return batch.note(ended::badly, index, e.what(), e.signal());
    } catch (const worker_died& e) {  // of a nested batch
        return batch.note(ended::badly, index, e.what(), e.signal());
    } catch (const std::exception& e) {
        return batch.note(ended::badly, index, e.what());
    } catch (...) {
        return batch.note(ended::badly, index, "an exception that is not a std::exception");
    }
    return batch.note(ended::well, index);
}

}  // namespace crossover
