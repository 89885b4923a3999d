// blocking_call_offloaded: how well does a model live with a library that only blocks, once its executor
// makes the calls?
#pragma once

#include "workloads/lessons/blocking_call.hpp"

namespace crossover {

// The same calls, each handed to the model's executor and awaited.
struct blocking_call_offloaded : blocking_call {
    static constexpr std::string_view name = "blocking_call_offloaded";
    static constexpr std::string_view question =
        "how well does a model live with a library that only blocks, once its executor makes the calls?";
    static constexpr std::array needs{verb::offload};

    template <class C>
    using shared = nothing_shared;

    template <can_offload C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        out = {i, p.block_us, 0};
        co_await ctx.offload(&library, &out);
    }
};

}  // namespace crossover
