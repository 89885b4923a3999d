// What every test of the contract has: an arena, the runtime, objects that items of any process can share,
// and a watchdog.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtimes/contract/runtime.hpp"

namespace crossover::contract_test {

using namespace std::chrono_literals;

// A test that takes longer hangs. Waits that a cancellation must end are longer than `soon`.
constexpr unsigned hangs_after_s = 120;
constexpr auto soon = 8s;
constexpr auto far = 30s;

// How many of something there are, and the most there have been. Counts across processes.
class gauge {
  public:
    void enter() {
        int level = now_.fetch_add(1) + 1;
        int peak = peak_.load();
        while (level > peak && !peak_.compare_exchange_weak(peak, level)) {
        }
    }
    void leave() { now_.fetch_sub(1); }
    int now() const { return now_.load(); }
    int peak() const { return peak_.load(); }

  private:
    std::atomic<int> now_{0};
    std::atomic<int> peak_{0};
};

// In a body: counts that its frame is alive.
class inside {
  public:
    explicit inside(gauge& count) : count_(&count) { count_->enter(); }
    ~inside() { count_->leave(); }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;

  private:
    gauge* count_;
};

// What the items of one batch share. Tests derive their own from it.
struct board {
    gauge frames;  // the bodies that are alive: none after a run
    std::atomic<std::uint32_t> started{0};
    std::atomic<std::uint32_t> ended{0};
    std::atomic<std::uint32_t> stopped{0};  // bodies that saw `cancelled`
};

template <class T>
T& on(const void* batch) {
    return *static_cast<T*>(const_cast<void*>(batch));
}

class stopwatch {
  public:
    auto elapsed() const { return std::chrono::steady_clock::now() - start_; }

  private:
    time_point start_ = std::chrono::steady_clock::now();
};

// Of the calling thread's CPU time.
inline void burn_20_ms() {
    auto used_ns = [] {
        timespec used{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        return used.tv_sec * 1'000'000'000 + used.tv_nsec;
    };
    auto start = used_ns();
    while (used_ns() - start < 20'000'000) {
    }
}

inline time_point after(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

template <class R>
class contract : public ::testing::Test {
  public:
    // More workers than this machine may have cores: the contract must hold then, too.
    static constexpr std::size_t cores = 4;

    // Destroys what lies in the arena; a board is checked on the way.
    template <class T>
    struct unmake {
        void operator()(T* object) const {
            if constexpr (std::is_base_of_v<board, T>) {
                EXPECT_EQ(object->frames.now(), 0) << "frames were left behind";
            }
            std::destroy_at(object);
        }
    };

    template <class T, class... Args>
    std::unique_ptr<T, unmake<T>> make(Args&&... args) {
        return std::unique_ptr<T, unmake<T>>(memory.make<T>(std::forward<Args>(args)...));
    }

    // How many items to use where they must be alive together: at most `most`.
    std::size_t together(std::size_t most) const { return std::min(most, runtime.guaranteed_concurrency()); }

    // Runs and expects an item's error; gives its text, and its index in `index`.
    std::string error_of(std::size_t n, job<typename R::context> each, const void* batch, policy rules,
                         std::size_t* index = nullptr) {
        try {
            runtime.run(n, each, batch, rules);
        } catch (const item_error& e) {
            if (index) *index = e.index();
            return e.what();
        }
        ADD_FAILURE() << "run() did not throw item_error";
        return {};
    }

    void expect_timed_out(std::size_t n, job<typename R::context> each, const void* batch, policy rules) {
        EXPECT_THROW(runtime.run(n, each, batch, rules), timed_out);
    }

    // The runtime is still good for a whole batch.
    void expect_usable() {
        auto b = make<board>();
        runtime.run(20, &note_start<typename R::context>, b.get(), policy{});
        EXPECT_EQ(b->started.load(), 20U);
    }

    template <class C>
    static typename C::task note_start(C&, const void* batch, std::size_t) {
        on<board>(batch).started.fetch_add(1);
        return {};
    }

    // What the tests look at lies where all workers see it; what a runtime copies to its workers lies in its
    // own arena.
    arena memory;
    arena of_runtime;
    R runtime{options{cores, &of_runtime}};
};

struct name_of_runtime {
    template <class R>
    static std::string GetName(int) {
        return std::string(R::name);
    }
};

TYPED_TEST_SUITE(contract, ::testing::Types<RUNTIME>, name_of_runtime);

template <class C, class... Verbs>
std::string lacking(Verbs... needed) {
    std::string names;
    ((has<C>(needed) ? names : names.append(" ").append(name_of(needed))), ...);
    return names;
}

// A test whose body is compiled only where the context has the verbs that follow the name. In it `t` is the
// fixture, R the runtime and C its context.
#define CONTRACT(sentence, ...)                                                            \
    template <class R, class C>                                                            \
    void sentence(contract<R>& t);                                                         \
    TYPED_TEST(contract, sentence) {                                                       \
        using C = typename TypeParam::context;                                             \
        if constexpr ([](auto... needed) { return (has<C>(needed) && ...); }(__VA_ARGS__)) \
            ::crossover::contract_test::sentence<TypeParam, C>(*this);                     \
        else                                                                               \
            GTEST_SKIP() << "needs" << lacking<C>(__VA_ARGS__);                            \
    }                                                                                      \
    template <class R, class C>                                                            \
    void sentence([[maybe_unused]] contract<R>& t)

// Ends the process when a test hangs, and says which one.
class watchdog : public ::testing::EmptyTestEventListener {
  public:
    static bool start() {
        ::testing::UnitTest::GetInstance()->listeners().Append(new watchdog);
#ifndef __SANITIZE_THREAD__  // TSan holds handlers back while a thread blocks; the default action ends the
                             // process as well
        std::signal(SIGALRM, [](int) {
            constexpr std::string_view text = "\nThis test hangs: ";
            [[maybe_unused]] auto n = ::write(2, text.data(), text.size());
            n = ::write(2, name_.data(), name_.size());
            n = ::write(2, "\n", 1);
            std::signal(SIGABRT, SIG_DFL);
            std::abort();
        });
#endif
        return true;
    }

  private:
    void OnTestStart(const ::testing::TestInfo& test) override {
        name_ = test.name();
        ::alarm(hangs_after_s);
    }
    void OnTestEnd(const ::testing::TestInfo&) override { ::alarm(0); }
    static inline std::string name_;
};

inline const bool watched = watchdog::start();

}  // namespace crossover::contract_test
