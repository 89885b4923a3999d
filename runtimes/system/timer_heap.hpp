// The loop's timers: an indexed 4-ary heap, so cancelled timers are removed, and equal deadlines fire in the
// order they were set. It is a plain queue while timers are set in the order of their deadlines.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "runtimes/system/node.hpp"

namespace crossover::asyncio {

using time_point = std::chrono::steady_clock::time_point;

// Holds nodes that somebody else owns and that must stay in place. A node waits in a list or here, never in
// both, so its link tells its place in the heap: a million sleeping tasks need no memory of their own for it.
//
// Entries in the order of their deadlines are a heap, too. While tasks sleep equally long, as they often do,
// nothing has to sink or rise: the earliest leaves at the front. The first timer that is set or taken out
// elsewhere moves all down to the root, and from then on they are a heap like any other until it is empty.
class timer_heap {
  public:
    timer_heap() = default;
    timer_heap(const timer_heap&) = delete;
    timer_heap& operator=(const timer_heap&) = delete;
    ~timer_heap() { ::operator delete(entries_, alignment); }

    bool empty() const noexcept { return end_ == first_; }
    std::size_t size() const noexcept { return end_ - first_; }
    // Precondition: not empty.
    time_point earliest() const noexcept { return entries_[first_].deadline; }

    // Whether it is in a heap.
    static bool armed(const node& n) noexcept { return link_of(n) & mark; }

    // Precondition: armed.
    time_point deadline(const node& n) const noexcept { return entries_[position_of(n)].deadline; }

    // It goes to the ready queue when the time has come. Precondition: in no list and no heap.
    void insert(node& n, time_point deadline) {
        if (end_ >= capacity_) make_room();
        set_link(n, std::uint64_t{next_order_++} << 32);
        const entry e(deadline, &n);
        if (in_order_ && !empty() && deadline < entries_[end_ - 1].deadline) become_heap();
        if (in_order_)
            place(end_++, e);
        else
            rise(end_++, e);
    }

    // Precondition: armed.
    void remove(node& n) noexcept {
        if (in_order_ && position_of(n) == first_)
            ++first_;
        else
            remove_later(n);
        n.next = nullptr;
        if (!empty()) return;
        first_ = end_ = root;
        in_order_ = true;
    }

    // Puts the nodes of all timers that are due on `ready`, in the order of their deadlines.
    void expire(time_point now, node_list& ready) noexcept {
        while (!empty() && earliest() <= now) {
            node& n = *entries_[first_].who;
            remove(n);
            ready.push_back(n);
        }
    }

    // Forgets all timers.
    void clear() noexcept {
        while (!empty()) remove(*entries_[end_ - 1].who);
    }

  private:
    struct entry {
        entry(time_point d, node* n) noexcept : deadline(d), who(n) {}
        time_point deadline;
        node* who;
    };

    // The link of a node in the heap: the order of its setting, which breaks ties, its position, and a mark
    // that no address has.
    static_assert(sizeof(node*) == sizeof(std::uint64_t));
    static constexpr std::uint64_t mark = 1;
    static constexpr std::uint64_t order_bits = ~std::uint64_t{0} << 32;
    static std::uint64_t link_of(const node& n) noexcept { return reinterpret_cast<std::uint64_t>(n.next); }
    static void set_link(node& n, std::uint64_t link) noexcept { n.next = reinterpret_cast<node*>(link); }
    static std::size_t position_of(const node& n) noexcept { return (link_of(n) & ~order_bits) >> 1; }
    static std::uint32_t order_of(const node& n) noexcept {
        return static_cast<std::uint32_t>(link_of(n) >> 32);
    }

    static constexpr std::align_val_t alignment{64};
    // The root lies at 3, so that the four children of each entry begin at a multiple of four: one cache
    // line.
    static constexpr std::size_t root = 3;
    static std::size_t parent(std::size_t i) noexcept { return i / 4 + 2; }
    static std::size_t first_child(std::size_t i) noexcept { return 4 * i - 8; }

    static bool before(const entry& a, const entry& b) noexcept {
        if (a.deadline != b.deadline) return a.deadline < b.deadline;
        return static_cast<std::int32_t>(order_of(*a.who) - order_of(*b.who)) < 0;
    }

    void place(std::size_t at, const entry& e) noexcept {
        entries_[at] = e;
        set_link(*e.who, (link_of(*e.who) & order_bits) | at << 1 | mark);
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

    // Of one that is not the first in order.
    void remove_later(const node& n) noexcept {
        if (in_order_ && position_of(n) != end_ - 1) become_heap();
        const std::size_t hole = position_of(n);
        const entry last = entries_[--end_];
        if (hole == end_) return;
        if (hole > root && before(last, entries_[parent(hole)]))
            rise(hole, last);
        else
            sink(hole, last);
    }

    void become_heap() noexcept {
        move_to_root();
        in_order_ = false;
    }

    void move_to_root() noexcept {
        if (first_ == root) return;
        const std::size_t distance = first_ - root;
        for (std::size_t i = root; i < end_ - distance; ++i) place(i, entries_[i + distance]);
        first_ = root;
        end_ -= distance;
    }

    void make_room() {
        // So many have left at the front that moving the others costs no more than a few steps for each.
        if (first_ - root > capacity_ / 2) return move_to_root();
        const std::size_t bigger = capacity_ ? capacity_ * 2 : 64;
        auto* const fresh = static_cast<entry*>(::operator new(bigger * sizeof(entry), alignment));
        for (std::size_t i = first_; i < end_; ++i) ::new (fresh + i) entry(entries_[i]);
        ::operator delete(std::exchange(entries_, fresh), alignment);
        capacity_ = bigger;
    }

    entry* entries_ = nullptr;
    std::size_t first_ = root;  // the root, unless they are in order and some have left
    std::size_t end_ = root;
    std::size_t capacity_ = 0;
    bool in_order_ = true;
    std::uint32_t next_order_ = 0;
};

}  // namespace crossover::asyncio
