// What a tcp: or shm: URL and the environment say.
#ifndef TRANSPORTS_TCP_SETTINGS_H_
#define TRANSPORTS_TCP_SETTINGS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transports/tcp/address.h"
#include "transports/tcp/siphash.h"

namespace ccl::tcp {

struct Settings {
  int rank = -1, ranks = 0;
  // Where all meet: a name and a port, or addresses that a job's id has.
  std::string root;
  std::vector<Ip> root_addresses;
  uint16_t root_port = 0;
  bool has_secret = false;
  Secret secret{};
  std::string interface;
  int connections = 2;  // between two ranks
  std::string congestion;  // see SetCongestion
  std::chrono::milliseconds timeout{60'000};  // to meet, and of silence thereafter
  bool shares = true;    // ranks of a host share memory
  bool one_host = false;  // shm: all are on one host
};

// What a URL says behind its scheme, "?rank=R&ranks=N&root=HOST:PORT&secret=HEX&interface=NAME&
// connections=K&congestion=NAME&timeout=10s&shm=no", all of it optional.
absl::StatusOr<Settings> ReadUrl(absl::string_view scheme, absl::string_view rest);

// Likewise, and what it leaves out. What the caller says (`rank` -1 and `ranks` 0: nothing) and the URL
// must not contradict each other. `with_id`: the place to meet and the secret come
// with the job's id, rank and ranks from the caller; else what neither says comes from RANK, WORLD_SIZE,
// MASTER_ADDR, MASTER_PORT and CCL_SECRET, and an error names all that is missing. A single rank needs
// neither place nor secret.
absl::StatusOr<Settings> ReadSettings(absl::string_view scheme, absl::string_view rest, int ranks, int rank,
                                      bool with_id);

// 32 hexadecimal digits. False for anything else.
bool ParseSecret(absl::string_view text, Secret& secret);

}  // namespace ccl::tcp

#endif  // TRANSPORTS_TCP_SETTINGS_H_
