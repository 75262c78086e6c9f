#include "transports/tcp/job_id.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "transports/tcp/listener.h"
#include "transports/tcp/settings.h"

namespace ccl::tcp {
namespace {

constexpr size_t kMostDoors = 100;
constexpr char kMark[8] = {'c', 'c', 'l', '.', 't', 'c', 'p', '1'};

struct Content {
  char mark[sizeof kMark];
  Secret secret;
  Ip addresses[4];
  uint16_t port;
};

// A process has one set of ids. Leaked: ids may be used until its end.
struct Doors {
  std::mutex mutex;
  std::deque<std::pair<Secret, std::shared_ptr<Listener>>> open;  // the oldest first
};

Doors& AllDoors() {
  static Doors* const doors = new Doors;
  return *doors;
}

}  // namespace

absl::StatusOr<std::string> NewId(absl::string_view scheme, absl::string_view rest, size_t bytes) {
  static_assert(sizeof(Content) <= 128);
  CCL_ASSIGN_OR_RETURN(const Settings settings, ReadUrl(scheme, rest));
  if (!settings.root.empty() || settings.has_secret) {
    return absl::InvalidArgumentError(
        absl::StrCat(scheme, ": a unique id comes with a place to meet and a secret; leave out root= and secret="));
  }
  if (bytes < sizeof(Content)) return absl::InternalError("ids are too short for an address");
  CCL_ASSIGN_OR_RETURN(const std::vector<Ip> addresses, LocalAddresses(settings.interface));
  const Ip where = settings.interface.empty() ? Ip{} : addresses[0];
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<Listener> door, Listener::Open(where, 0));
  Content content{};
  std::memcpy(content.mark, kMark, sizeof kMark);
  CCL_ASSIGN_OR_RETURN(content.secret, NewNonce());
  const size_t count = settings.interface.empty() ? std::min(addresses.size(), std::size(content.addresses)) : 1;
  std::copy_n(addresses.begin(), count, content.addresses);
  // Ranks of this host get there by the loopback, whatever becomes of the others.
  if (settings.interface.empty() && count == std::size(content.addresses)) content.addresses[count - 1] = addresses.back();
  content.port = door->port();
  Doors& doors = AllDoors();
  std::lock_guard<std::mutex> lock(doors.mutex);
  doors.open.push_back({content.secret, std::move(door)});
  if (doors.open.size() > kMostDoors) doors.open.pop_front();
  std::string id(reinterpret_cast<const char*>(&content), sizeof content);
  id.resize(bytes, '\0');
  return id;
}

bool IsId(absl::string_view id) {
  return id.size() >= sizeof(Content) && std::memcmp(id.data(), kMark, sizeof kMark) == 0;
}

Invitation Accept(absl::string_view id) {
  Content content;
  std::memcpy(&content, id.data(), sizeof content);
  Invitation invitation;
  invitation.secret = content.secret;
  invitation.place.port = content.port;
  for (const Ip& ip : content.addresses) {
    if (!IsUnspecified(ip)) invitation.place.addresses.push_back(ip);
  }
  Doors& doors = AllDoors();
  std::lock_guard<std::mutex> lock(doors.mutex);
  const auto found = std::find_if(doors.open.begin(), doors.open.end(),
                                  [&](const auto& door) { return door.first == content.secret; });
  if (found == doors.open.end()) return invitation;
  invitation.place.door = std::move(found->second);
  doors.open.erase(found);
  return invitation;
}

}  // namespace ccl::tcp
