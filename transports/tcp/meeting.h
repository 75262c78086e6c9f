// Where ranks that know nothing of each other but one address get to know each other.
#ifndef TRANSPORTS_TCP_MEETING_H_
#define TRANSPORTS_TCP_MEETING_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "transports/tcp/handshake.h"
#include "transports/tcp/listener.h"
#include "transports/tcp/settings.h"

namespace ccl::tcp {

using Deadline = std::chrono::steady_clock::time_point;

// What all ranks of a world know.
struct Table {
  uint64_t session = 0;               // of this world, drawn by lot
  std::vector<Announcement> ranks;
};

// The place at which a world's ranks meet.
struct Place {
  std::shared_ptr<Listener> door;  // of the one that is host there; null: this process is a guest
  std::vector<Ip> addresses;       // for guests
  uint16_t port = 0;
  uint64_t session = 0;            // of the world whose survivors meet; 0: of none
};

// What the own process has to say, and where its peers will reach it.
Announcement AnnounceSelf(const Settings& settings, const Listener& listener, absl::Span<const Ip> addresses);

// Blocks until all ranks have come or one of them cannot be had; every rank of the table has `ranks`
// addresses to try. Unavailable, after the timeout, names who is missing, or why the host cannot be
// reached; InvalidArgument both sides of what ranks say differently.
absl::StatusOr<Table> Meet(const Settings& settings, const Place& place, const Announcement& own,
                           Deadline deadline);

// How many connections a pair of ranks has.
int ConnectionsOf(const Settings& settings, const Table& table, int a, int b);

// Connections to all other ranks, by rank: each calls those below it and hears those above. The
// descriptors are the caller's to close. Blocks; Unavailable names a rank that cannot be had, and why.
absl::StatusOr<std::vector<std::vector<int>>> Connect(const Settings& settings, const Table& table,
                                                      const Listener& listener, Deadline deadline);

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_MEETING_H_
