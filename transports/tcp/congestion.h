// How connections share a network with others.
#ifndef TRANSPORTS_TCP_CONGESTION_H_
#define TRANSPORTS_TCP_CONGESTION_H_

#include <string>

#include "absl/status/status.h"

namespace ccl::tcp {

// The algorithm by which the system limits what `socket`, which is not connected yet or listens, has under
// way; connections that a listener accepts have its. `name` empty: the system's own, but where that is bbr,
// cubic or else reno. bbr lets a connection send at the rate at which it has delivered before: collectives
// send in bursts and wait in between, so it comes to think of them as slow, for seconds.
// InvalidArgument when this process cannot have `name`, with what it can have.
absl::Status SetCongestion(int socket, const std::string& name);

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_CONGESTION_H_
