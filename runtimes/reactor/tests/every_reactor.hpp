// The fixture of the reactor's tests: a reactor that watches one end of a socket pair.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <system_error>

#include "runtimes/reactor/reactor.hpp"

namespace crossover::reactor_test {

using namespace std::chrono_literals;

struct back_end {
    const char* name;
    std::unique_ptr<reactor> (*make)();
};

// A node that counts how often it ran.
struct counter : node {
    counter() : node([](node& n) { ++static_cast<counter&>(n).runs; }) {}
    int runs = 0;
};

inline void run_all(node_list& list) {
    while (!list.empty()) {
        node& n = list.pop_front();
        n.run(n);
    }
}

inline std::array<std::byte, 64> buffer;

class every_reactor : public testing::TestWithParam<back_end> {
  protected:
    void SetUp() override {
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()));
        try {
            r = GetParam().make();
        } catch (const std::system_error& e) {
            if (e.code().value() != EPERM && e.code().value() != ENOSYS) throw;
            GTEST_SKIP() << e.what();  // a container's filter, or an emulator
        }
        r->attach(ends[0]);
    }
    void TearDown() override {
        if (r && ends[0] >= 0) r->close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    void poll(std::chrono::nanoseconds timeout = 0ns) {
        node_list ready;
        r->poll(timeout, ready);
        run_all(ready);
    }
    // Takes the edges that exist from the start (a fresh socket is writable), so that later ones are told
    // apart. Twice, because a back end may ask the kernel only at the first wait.
    void settle() {
        for (int i = 0; i < 2; ++i) {
            poll();
            counter c;
            for (direction d : {direction::readable, direction::writable})
                if (!r->wait(ends[0], d, c)) r->cancel(ends[0], d, c);
        }
    }
    void send_from_peer(const char* text) {
        ASSERT_GT(::write(ends[1], text, std::string_view(text).size()), 0);
    }

    std::array<int, 2> ends{-1, -1};
    std::unique_ptr<reactor> r;
};

}  // namespace crossover::reactor_test
