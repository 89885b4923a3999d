// A node of the waiting and ready queues: an intrusive {next, function} pair in its owner, so waking
// allocates nothing.
#pragma once

#include <utility>

namespace crossover {

struct node {
    using function = void (*)(node&);

    node() = default;
    explicit node(function f) noexcept : run(f) {}

    node* next = nullptr;
    function run = nullptr;  // called by whoever drains the list the node was put on
};

// A FIFO of nodes that somebody else owns. Not thread-safe.
class node_list {
  public:
    node_list() = default;
    node_list(const node_list&) = delete;
    node_list& operator=(const node_list&) = delete;
    node_list(node_list&& other) noexcept
        : head_(std::exchange(other.head_, nullptr)), tail_(std::exchange(other.tail_, nullptr)) {}
    node_list& operator=(node_list&& other) noexcept {
        head_ = std::exchange(other.head_, nullptr);
        tail_ = std::exchange(other.tail_, nullptr);
        return *this;
    }

    bool empty() const noexcept { return head_ == nullptr; }
    node* front() const noexcept { return head_; }
    // Precondition: not empty.
    node* back() const noexcept { return tail_; }

    void push_back(node& n) noexcept {
        n.next = nullptr;
        (head_ ? tail_->next : head_) = &n;
        tail_ = &n;
    }

    void push_front(node& n) noexcept {
        if (!head_) tail_ = &n;
        n.next = head_;
        head_ = &n;
    }

    // Precondition: not empty.
    node& pop_front() noexcept {
        node& n = *head_;
        head_ = n.next;
        return n;
    }

    void append(node_list&& other) noexcept {
        if (other.empty()) return;
        (head_ ? tail_->next : head_) = other.head_;
        tail_ = other.tail_;
        other.head_ = nullptr;
    }

  private:
    node* head_ = nullptr;
    node* tail_ = nullptr;  // meaningless while head_ is null
};

}  // namespace crossover
