// wait(): counting ends.
#include "runtimes/event_loop/combinators/wait.hpp"

namespace crossover::asyncio {

ends_counter::ends_counter(const std::vector<any_future>& all, return_when rule)
    : rule_(rule), left_(all.size()), enough_(get_running_loop()) {
    notices_.reserve(all.size());
    for (const any_future& f : all) {
        notices_.push_back(notice::attach(f.raw(), &on_end, this));
        notices_.back()->place = notices_.size() - 1;
    }
}

ends_counter::~ends_counter() {
    for (notice* n : notices_)
        if (n) n->drop();
}

void ends_counter::time_over() const {
    if (!enough_.done()) enough_.set_result();
}

void ends_counter::on_end(void* owner, notice& n, outcome& o) {
    auto& self = *static_cast<ends_counter*>(owner);
    self.notices_[n.place] = nullptr;
    --self.left_;
    bool enough = self.left_ == 0 || self.rule_ == return_when::first_completed;
    if (self.rule_ == return_when::first_exception && o.state == phase::failed) {
        o.clear(flag::unretrieved);
        enough = true;
    }
    if (enough) self.time_over();
}

}  // namespace crossover::asyncio
