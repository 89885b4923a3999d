// The process that forks workers. It is created while its parent has one thread, so that workers can be
// forked at any later time.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace crossover::processes {

// A child that runs main(socket, argument). It ends when its parent closes the socket or dies, and its own
// children are killed with it. Ctrl-C reaches the parent alone.
class zygote {
  public:
    using main_function = void (*)(int socket, void* argument);

    // Throws `refused` when the process has more than one thread (a fork would copy locks that other threads
    // hold), or when the system refuses the fork. `who` is named in the message.
    zygote(const char* who, main_function main, void* argument);

    // Ends the zygote, which ends its workers, and waits for it.
    ~zygote();
    zygote(const zygote&) = delete;
    zygote& operator=(const zygote&) = delete;

    pid_t id() const { return id_; }
    int socket() const {
        return socket_;
    }  // SOCK_SEQPACKET: readable when a message has come or the zygote is dead

  private:
    pid_t id_ = -1;
    int socket_ = -1;
};

// One message over the socket. send: false when the other side is gone. receive: 0 when nothing has come
// (only with wait == false), -1 when the other side is gone, else the size.
bool send(int socket, const void* message, std::size_t bytes);
int receive(int socket, void* message, std::size_t bytes, bool wait);

// Waits until a process is gone that has been killed but is no child: a second at most.
void await_death(pid_t process);

}  // namespace crossover::processes
