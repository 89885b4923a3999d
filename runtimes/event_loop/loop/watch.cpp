// Callbacks for descriptors.
#include "runtimes/event_loop/loop/watch.hpp"

#include <poll.h>

#include <map>
#include <memory>
#include <utility>

namespace crossover::asyncio {
namespace {

class watchers final : public loop::service {
  public:
    explicit watchers(loop& l) : loop_(l) {}
    ~watchers() override {
        while (!all_.empty()) {
            const int fd = all_.begin()->first;
            remove(fd, direction::readable);
            remove(fd, direction::writable);
        }
    }

    void add(int fd, direction d, std::function<void()> f) {
        if (auto kept = loop::keep_context()) f = loop::with_context(std::move(kept), std::move(f));
        auto at = all_.find(fd);
        if (at == all_.end()) {
            loop_.attach(fd);
            at = all_.emplace(fd, sides()).first;
        }
        auto& side = at->second.of[static_cast<std::size_t>(d)];
        if (side) {
            side->call = std::make_shared<std::function<void()>>(std::move(f));
            return;
        }
        side = std::make_shared<watcher>(*this, fd, d, std::move(f));
        side->look();
    }

    bool remove(int fd, direction d) {
        const auto at = all_.find(fd);
        if (at == all_.end()) return false;
        auto& side = at->second.of[static_cast<std::size_t>(d)];
        if (!side) return false;
        const auto gone = std::exchange(side, nullptr);
        gone->owner = nullptr;
        // It may stand in the ready queue, and then outlives this.
        if (!gone->queued && !loop_.io().cancel(fd, d, *gone)) gone->queued = true;
        if (gone->queued && !loop_.is_closed()) loop_.call_soon([gone] {});
        if (!at->second.of[0] && !at->second.of[1]) {
            all_.erase(at);
            loop_.io().detach(fd);
        }
        return true;
    }

  private:
    // Looks before each call, because readiness is a hint and the callback need not read everything.
    struct watcher : node {
        watcher(watchers& w, int f, direction d, std::function<void()> c)
            : node(&on_ready),
              owner(&w),
              fd(f),
              side(d),
              call(std::make_shared<std::function<void()>>(std::move(c))) {}

        bool ready() const noexcept {
            pollfd p{fd, static_cast<short>(side == direction::readable ? POLLIN | POLLPRI : POLLOUT), 0};
            return ::poll(&p, 1, 0) > 0;
        }
        // Queues itself if the descriptor is ready, else waits until it is.
        void look() {
            do {
                if (!ready()) continue;
                queued = true;
                return owner->loop_.make_ready(*this);
            } while (owner->loop_.io().wait(fd, side, *this));
        }
        static void on_ready(node& n) {
            auto& self = static_cast<watcher&>(n);
            if (!self.owner) return;
            self.queued = false;
            loop& l = self.owner->loop_;
            const auto call = self.call;
            if (self.ready()) {
                const loop::running_callback in_its_context(nullptr);
                try {
                    (*call)();
                } catch (const loop_exit&) {
                    if (self.owner) self.look();
                    throw;
                } catch (...) {
                    error_report report;
                    report.message = "Exception in callback of a descriptor";
                    report.exception = std::current_exception();
                    l.call_exception_handler(report);
                }
            }
            if (self.owner) self.look();
        }

        watchers* owner;
        int fd;
        direction side;
        std::shared_ptr<std::function<void()>> call;
        bool queued = false;
    };
    struct sides {
        std::shared_ptr<watcher> of[2];
    };

    loop& loop_;
    std::map<int, sides> all_;
};

bool remove(loop& l, int fd, direction d) {
    watchers* const w = l.find<watchers>();
    return w && w->remove(fd, d);
}

}  // namespace

void add_reader(loop& l, int fd, std::function<void()> f) {
    l.use<watchers>().add(fd, direction::readable, std::move(f));
}
void add_writer(loop& l, int fd, std::function<void()> f) {
    l.use<watchers>().add(fd, direction::writable, std::move(f));
}
bool remove_reader(loop& l, int fd) { return remove(l, fd, direction::readable); }
bool remove_writer(loop& l, int fd) { return remove(l, fd, direction::writable); }

}  // namespace crossover::asyncio
