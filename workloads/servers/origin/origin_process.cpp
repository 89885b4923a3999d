// The origin: a server started here, or one that already runs.
#include "workloads/servers/origin/origin_process.hpp"

#include <utility>

namespace crossover {

std::filesystem::path origin_process::default_program() {
    return server_process::beside("origin", CROSSOVER_ORIGIN);
}

origin_process origin_process::start(const std::filesystem::path& program) {
    return origin_process(server_process("origin", program));
}

origin_process origin_process::attach(const endpoint& server) {
    origin_process attached(server);
    attached.stats();
    return attached;
}

origin_process::origin_process(server_process started)
    : address_(started.address()), own_(std::move(started)), connection_(address_) {}

origin_process::origin_process(const endpoint& running) : address_(running), connection_(running) {}

std::optional<std::uint64_t> origin_process::cpu_ns() {
    if (own_)
        if (const auto used = own_->cpu_ns()) return used;
    const std::optional<origin_stats> told = stats();
    if (!told) return std::nullopt;
    return told->cpu_user_ns + told->cpu_sys_ns;
}

std::optional<origin_stats> origin_process::stats() {
    if (external_) return std::nullopt;
    const std::optional<origin_stats> told = connection_.ask("/stats");
    external_ = !told;
    return told;
}

std::optional<external_reply> origin_process::external() {
    if (external_ && !reply_) reply_ = connection_.first_page();
    return reply_;
}

std::optional<origin_stats> origin_process::reset_peak() {
    if (external_) return std::nullopt;
    return connection_.ask("/stats/reset");
}

}  // namespace crossover
