// The pure part of a round of load: which request is due when on which connection, and the sum of the
// replies.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/servers/load/latency_buckets.hpp"
#include "workloads/servers/load/load_plan.hpp"

namespace crossover {

// Times are nanoseconds of one steady clock. Latencies are added to `into`, which outlives the round.
class load_round {
  public:
    load_round(const load_plan& plan, std::uint64_t start_ns, latencies& into)
        : plan_(plan), start_ns_(start_ns), seen_(into), lanes_(plan.connections) {
        for (std::uint64_t lane = 0; lane < plan.connections; ++lane) lanes_[lane].next = lane;
    }

    // When the next request falls due that has not been offered yet; `never_due` after the last one.
    static constexpr std::uint64_t never_due = ~std::uint64_t{0};
    std::uint64_t next_due_ns() const { return offered_ < plan_.requests ? due_ns(offered_) : never_due; }

    // Calls send(connection) for each idle connection on which a request has fallen due. Each is to be sent
    // now.
    template <class Send>
    void offer(std::uint64_t now_ns, Send send) {
        for (; offered_ < plan_.requests && due_ns(offered_) <= now_ns; ++offered_) {
            const std::uint64_t lane = offered_ % plan_.connections;
            if (!lanes_[lane].busy && lanes_[lane].next == offered_) send(lane);
        }
    }

    // The request that is under way on the connection, or is the next one to be sent.
    std::uint64_t number(std::uint64_t lane) const { return lanes_[lane].next; }

    // The next request of the connection leaves now.
    void sent(std::uint64_t lane, std::uint64_t now_ns) {
        lanes_[lane].busy = true;
        lanes_[lane].sent_ns = now_ns;
        if (plan_.rate_per_s == 0)
            lanes_[lane].due_ns = now_ns;
        else
            lanes_[lane].due_ns = due_ns(lanes_[lane].next);
    }

    // Its reply is complete. True when the connection's next request is due already, and is to be sent now.
    bool replied(std::uint64_t lane, std::uint64_t now_ns) {
        lane_state& l = lanes_[lane];
        seen_.intended.record(now_ns - l.due_ns);
        seen_.service.record(now_ns - l.sent_ns);
        l.busy = false;
        l.next += plan_.connections;
        ++replies_;
        // What has not been offered yet comes by offer().
        return l.next < plan_.requests && l.next < offered_;
    }

    std::uint64_t replies() const { return replies_; }
    bool done() const { return replies_ == plan_.requests; }
    const load_plan& plan() const { return plan_; }
    std::uint64_t start_ns() const { return start_ns_; }

  private:
    struct lane_state {
        std::uint64_t next = 0;
        std::uint64_t due_ns = 0;
        std::uint64_t sent_ns = 0;
        bool busy = false;
    };

    std::uint64_t due_ns(std::uint64_t k) const {
        if (plan_.rate_per_s == 0) return start_ns_;
        return start_ns_ + k * 1'000'000'000 / plan_.rate_per_s;
    }

    load_plan plan_;
    std::uint64_t start_ns_;
    latencies& seen_;
    std::vector<lane_state> lanes_;
    std::uint64_t offered_ = 0;
    std::uint64_t replies_ = 0;
};

}  // namespace crossover
