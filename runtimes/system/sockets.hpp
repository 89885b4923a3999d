// Opens and connects TCP sockets, the same way for every model. Waiting for them is up to the model.
#pragma once

#include <netinet/in.h>

#include "runtimes/system/endpoint.hpp"

namespace crossover::sockets {

// A TCP socket with TCP_NODELAY and close-on-exec; `flags` may add SOCK_NONBLOCK. The caller owns the
// descriptor. Throws `refused` when the limit of open files is reached (it names the limit), else
// std::system_error.
int open_tcp(int flags);

// True when connected at once; false: wait until writable, then finish_connect. Throws std::system_error, or
// `refused` when no port is free.
bool start_connect(int descriptor, endpoint server);
void finish_connect(int descriptor);

// The same address as the system calls want it.
sockaddr_in address_of(endpoint server);

// Throws what a failed socket call means: `refused` with the limit at the end of descriptors or ports, else
// std::system_error.
[[noreturn]] void fail(int error, const char* action);

// The next close() resets the connection, so that its port is free at once.
void abort_on_close(int descriptor);

}  // namespace crossover::sockets
