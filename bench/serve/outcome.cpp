// Maps the exceptions that can leave a cell to outcomes.
#include "bench/serve/outcome.hpp"

#include <algorithm>
#include <new>
#include <system_error>

#include "bench/cell/cell.hpp"
#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "workloads/servers/origin/origin_error.hpp"

namespace crossover::bench {

namespace {

failure told(outcome what, std::string reason) {
    std::ranges::replace(reason, '\n', ' ');
    return {what, std::move(reason)};
}

}  // namespace

failure failure_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const wrong_result& e) {
        return told(outcome::wrong, e.what());
    } catch (const not_supported& e) {
        return told(outcome::unsupported, e.what());
    } catch (const worker_died& e) {
        return told(outcome::crashed, e.what());
    } catch (const item_refused& e) {
        return told(outcome::refused, "item " + std::to_string(e.index()) + ": " + e.what());
    } catch (const item_error& e) {
        return told(outcome::failed, "item " + std::to_string(e.index()) + ": " + e.what());
    } catch (const timed_out& e) {
        return told(outcome::timed_out, e.what());
    } catch (const refused& e) {
        return told(outcome::refused, e.what());
    } catch (const origin_error& e) {
        return told(outcome::unreachable, e.what());
    } catch (const std::system_error& e) {
        return told(is_withheld(e.code().value()) ? outcome::refused : outcome::failed, e.what());
    } catch (const std::bad_alloc&) {
        return told(outcome::refused,
                    "the system gives no more memory: choose a smaller size of the workload");
    } catch (const std::exception& e) {
        return told(outcome::failed, e.what());
    } catch (...) {
        return told(outcome::failed, "an exception that is not a std::exception");
    }
}

}  // namespace crossover::bench
