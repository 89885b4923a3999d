// The loop's timers: an indexed 4-ary heap, so that a cancelled timer really leaves and equal deadlines fire
// in the order they were set.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "runtimes/reactor/node.hpp"

namespace crossover::asyncio {

using time_point = std::chrono::steady_clock::time_point;

// Embedded in whatever waits for a time. Must stay in place while armed.
struct timer {
    timer() = default;
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;

    bool armed() const noexcept { return position != 0; }

    node* fires = nullptr;       // put on the ready queue when the time has come
    std::uint32_t position = 0;  // in the heap; 0: not armed
    std::uint32_t order = 0;     // breaks ties: the earlier set fires first
};

class timer_heap {
  public:
    timer_heap() = default;
    timer_heap(const timer_heap&) = delete;
    timer_heap& operator=(const timer_heap&) = delete;
    ~timer_heap() { ::operator delete(entries_, alignment); }

    bool empty() const noexcept { return end_ == root; }
    std::size_t size() const noexcept { return end_ - root; }
    // Precondition: not empty.
    time_point earliest() const noexcept { return entries_[root].deadline; }

    // Precondition: armed.
    time_point deadline(const timer& t) const noexcept { return entries_[t.position].deadline; }

    void insert(timer& t, time_point deadline) {
        if (end_ >= capacity_) grow();
        t.order = next_order_++;
        const entry e(deadline, &t);
        rise(end_++, e);
    }

    // Precondition: armed.
    void remove(timer& t) noexcept {
        const std::size_t hole = t.position;
        t.position = 0;
        const entry last = entries_[--end_];
        if (hole == end_) return;
        if (hole > root && before(last, entries_[parent(hole)]))
            rise(hole, last);
        else
            sink(hole, last);
    }

    // Puts the nodes of all timers that are due on `ready`, in the order of their deadlines.
    void expire(time_point now, node_list& ready) noexcept {
        while (end_ != root && entries_[root].deadline <= now) {
            timer& t = *entries_[root].who;
            remove(t);
            ready.push_back(*t.fires);
        }
    }

    // Forgets all timers.
    void clear() noexcept {
        while (end_ != root) entries_[--end_].who->position = 0;
    }

  private:
    struct entry {
        entry(time_point d, timer* t) noexcept : deadline(d), who(t) {}
        time_point deadline;
        timer* who;
    };
    static constexpr std::align_val_t alignment{64};
    // The root lies at 3, so that the four children of each entry begin at a multiple of four: one cache
    // line.
    static constexpr std::size_t root = 3;
    static std::size_t parent(std::size_t i) noexcept { return i / 4 + 2; }
    static std::size_t first_child(std::size_t i) noexcept { return 4 * i - 8; }

    static bool before(const entry& a, const entry& b) noexcept {
        if (a.deadline != b.deadline) return a.deadline < b.deadline;
        return static_cast<std::int32_t>(a.who->order - b.who->order) < 0;
    }

    void place(std::size_t at, const entry& e) noexcept {
        entries_[at] = e;
        e.who->position = static_cast<std::uint32_t>(at);
    }

    void rise(std::size_t at, const entry& e) noexcept {
        while (at > root) {
            const std::size_t up = parent(at);
            if (!before(e, entries_[up])) break;
            place(at, entries_[up]);
            at = up;
        }
        place(at, e);
    }

    void sink(std::size_t at, const entry& e) noexcept {
        for (;;) {
            const std::size_t first = first_child(at);
            if (first >= end_) break;
            const std::size_t past = first + 4 < end_ ? first + 4 : end_;
            std::size_t least = first;
            for (std::size_t i = first + 1; i < past; ++i)
                if (before(entries_[i], entries_[least])) least = i;
            if (!before(entries_[least], e)) break;
            place(at, entries_[least]);
            at = least;
        }
        place(at, e);
    }

    void grow() {
        const std::size_t bigger = capacity_ ? capacity_ * 2 : 64;
        auto* const fresh = static_cast<entry*>(::operator new(bigger * sizeof(entry), alignment));
        for (std::size_t i = root; i < end_; ++i) ::new (fresh + i) entry(entries_[i]);
        ::operator delete(std::exchange(entries_, fresh), alignment);
        capacity_ = bigger;
    }

    entry* entries_ = nullptr;
    std::size_t end_ = root;
    std::size_t capacity_ = 0;
    std::uint32_t next_order_ = 0;
};

}  // namespace crossover::asyncio
