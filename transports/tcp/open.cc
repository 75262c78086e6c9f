// From a URL to an open TcpBackend.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"
#include "transports/host_topology.h"
#include "transports/location.h"
#include "transports/tcp/backend.h"
#include "transports/tcp/caller.h"
#include "transports/tcp/congestion.h"
#include "transports/tcp/job_id.h"
#include "transports/tcp/tcp.h"

namespace ccl::tcp {
namespace {

// Another world of this job may be about to leave the port.
constexpr std::chrono::seconds kForPort(5);
constexpr std::chrono::milliseconds kBetweenTries(20);

absl::StatusOr<std::vector<Ip>> Resolve(const std::string& host) {
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  boost::system::error_code error;
  std::vector<Ip> found;
  for (const auto& entry : resolver.resolve(host, "", error)) found.push_back(IpOf(entry.endpoint().address()));
  if (!error && !found.empty()) return found;
  return absl::UnavailableError(absl::StrCat("the root's host '", host, "' is not known: ", error.message()));
}

absl::StatusOr<std::shared_ptr<Listener>> OpenDoor(const Settings& settings) {
  boost::system::error_code not_literal;
  const asio::ip::address literal = asio::ip::make_address(settings.root, not_literal);
  const Ip where = not_literal ? Ip{} : IpOf(literal);
  const Deadline deadline = std::chrono::steady_clock::now() + kForPort;
  while (true) {
    absl::StatusOr<std::shared_ptr<Listener>> door = Listener::Open(where, settings.root_port);
    // What the others know it by may be none of its own addresses.
    if (!door.ok()) door = Listener::Open(Ip{}, settings.root_port);
    if (door.ok() || std::chrono::steady_clock::now() > deadline) return door;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

absl::StatusOr<std::unique_ptr<Backend>> OpenScheme(absl::string_view scheme, absl::string_view rest,
                                                    const Membership& membership) {
  const bool with_id = IsId(membership.id);
  CCL_ASSIGN_OR_RETURN(Settings settings,
                       ReadSettings(scheme, rest, membership.ranks, membership.rank, with_id));
  Place place;
  if (with_id) {
    Invitation invitation = Accept(membership.id);
    place = std::move(invitation.place);
    settings.secret = invitation.secret;
  } else if (settings.ranks > 1) {
    place.port = settings.root_port;
    if (settings.rank == 0) {
      CCL_ASSIGN_OR_RETURN(place.door, OpenDoor(settings));
    } else {
      CCL_ASSIGN_OR_RETURN(place.addresses, Resolve(settings.root));
    }
  }
  return TcpBackend::Open(settings, place);
}

absl::Status OnOneHost(const Table& table) {
  const Announcement& first = table.ranks.front();
  for (const Announcement& says : table.ranks) {
    if (says.host == first.host) continue;
    return absl::InvalidArgumentError(absl::StrCat("shm: rank ", says.rank, " is on host ", says.host_name,
                                                   ", rank 0 on ", first.host_name,
                                                   "; ranks on several hosts have tcp:"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> TcpBackend::Open(const Settings& settings, const Place& place) {
  const Deadline deadline = std::chrono::steady_clock::now() + settings.timeout;
  CCL_ASSIGN_OR_RETURN(const std::vector<Ip> addresses, LocalAddresses(settings.interface));
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<Listener> listener,
                       Listener::Open(settings.interface.empty() ? Ip{} : addresses[0], 0));
  CCL_RETURN_IF_ERROR(SetCongestion(listener->descriptor(), settings.congestion));
  const Announcement own = AnnounceSelf(settings, *listener, addresses);
  Table table;
  if (settings.ranks == 1) {
    table.ranks.push_back(own);
  } else {
    CCL_ASSIGN_OR_RETURN(table, Meet(settings, place, own, deadline));
  }
  if (settings.one_host) CCL_RETURN_IF_ERROR(OnOneHost(table));
  CCL_ASSIGN_OR_RETURN(std::vector<std::vector<int>> sockets, Connect(settings, table, *listener, deadline));
  std::unique_ptr<TcpBackend> backend(
      new TcpBackend(settings, std::move(table), std::move(listener), std::move(sockets)));
  CCL_RETURN_IF_ERROR(backend->DiscoverTopology());
  return std::unique_ptr<Backend>(std::move(backend));
}

absl::Status TcpBackend::DiscoverTopology() {
  Location own = Location::OfThread();
  // A host is known by its lowest rank.
  const auto lowest = std::find_if(table_.ranks.begin(), table_.ranks.end(), [&](const Announcement& other) {
    return other.host == table_.ranks[static_cast<size_t>(settings_.rank)].host;
  });
  own.host = static_cast<int32_t>(lowest - table_.ranks.begin());
  std::string all;
  CCL_RETURN_IF_ERROR(Gather({reinterpret_cast<const char*>(&own), sizeof own}, all));
  std::vector<Location> locations(static_cast<size_t>(ranks()));
  std::memcpy(locations.data(), all.data(), sizeof own * locations.size());
  crowded_ = CrowdingOf(own.host, locations) > 1;
  if (settings_.shares) CCL_RETURN_IF_ERROR(ShareMemory(locations));
  // On one host, but by TCP all the same: that is as it is between hosts.
  const bool alone = endpoint_ == nullptr && std::all_of(locations.begin(), locations.end(), [&](const Location& location) {
    return location.host == own.host;
  });
  for (size_t i = 0; alone && i < locations.size(); ++i) locations[i].host = static_cast<int32_t>(i);
  topology_ = HostTopology(locations, endpoint_ == nullptr ? 0 : CrowdingOf(locations));
  return Validate(topology_);
}

absl::Status TcpBackend::ShareMemory(absl::Span<const Location> locations) {
  std::vector<int> here;
  for (int rank = 0; rank < ranks(); ++rank) {
    if (locations[static_cast<size_t>(rank)].host == locations[static_cast<size_t>(settings_.rank)].host) here.push_back(rank);
  }
  const size_t bytes = shm::Layout::Bytes(static_cast<int>(here.size()));
  std::unique_ptr<shm::Segment> segment;
  absl::Status status;
  const auto keep = [&](absl::StatusOr<std::unique_ptr<shm::Segment>> made) {
    status = made.status();
    if (made.ok()) segment = *std::move(made);
  };
  shm::Segment::Name name;
  if (here.front() == settings_.rank) {
    keep(shm::Segment::Create(bytes));
    if (segment != nullptr) name = segment->name();
  }
  std::string names;
  CCL_RETURN_IF_ERROR(Gather({reinterpret_cast<const char*>(&name), sizeof name}, names));
  std::memcpy(&name, names.data() + sizeof name * static_cast<size_t>(here.front()), sizeof name);
  if (here.front() != settings_.rank && name.file >= 0) keep(shm::Segment::Attach(name, bytes));
  // All hosts do, or none: plans are everybody's.
  const char own = segment != nullptr ? 1 : 0;
  std::string findings;
  CCL_RETURN_IF_ERROR(Gather({&own, 1}, findings));
  if (!status.ok()) {
    Log(LogLevel::kWarn, LogPart::kInit,
        absl::StrCat("rank ", settings_.rank, ": messages within hosts go over TCP: ", status.message()));
  }
  if (findings.find('\0') != std::string::npos) {
    if (!settings_.one_host) return absl::OkStatus();
    if (!status.ok()) return status;
    return absl::UnavailableError(absl::StrCat("shm: rank ", settings_.rank, ": another rank cannot reach the memory "
                                               "that all are to share; tcp: does without"));
  }
  segment->Close();
  elsewhere_ = static_cast<int>(here.size()) < ranks();
  for (int rank : here) {
    if (rank != settings_.rank) here_.push_back(rank);
  }
  admission_.ShareWith(here);
  const ArenaPlace arena = Arena::OfProcess().place();
  const bool crowded = CrowdingOf(locations) > 1;  // all members of a group fold alike
  endpoint_ =
      std::make_unique<shm::Endpoint>(std::move(segment), std::move(here), settings_.rank, ranks(), crowded, &arena);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Backend>> TcpBackend::Survivors(absl::Span<const int> ranks) {
  const auto me = std::find(ranks.begin(), ranks.end(), settings_.rank);
  if (me == ranks.end()) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", settings_.rank, " is not among the survivors"));
  }
  Settings settings = settings_;
  settings.rank = static_cast<int>(me - ranks.begin());
  settings.ranks = static_cast<int>(ranks.size());
  Place place;
  place.session = table_.session;
  if (settings.rank == 0) {
    place.door = door_;
  } else {
    const Announcement& host = table_.ranks[static_cast<size_t>(ranks.front())];
    place.port = host.port;
    for (const Ip& ip : host.addresses) {
      if (!IsUnspecified(ip)) place.addresses.push_back(ip);
    }
  }
  return Open(settings, place);
}

}  // namespace ccl::tcp

namespace ccl {

absl::StatusOr<std::unique_ptr<Backend>> OpenTcp(absl::string_view rest, const Membership& membership) {
  return tcp::OpenScheme("tcp", rest, membership);
}
absl::StatusOr<std::unique_ptr<Backend>> OpenShm(absl::string_view rest, const Membership& membership) {
  return tcp::OpenScheme("shm", rest, membership);
}
absl::StatusOr<std::string> NewTcpId(absl::string_view rest, size_t bytes) { return tcp::NewId("tcp", rest, bytes); }
absl::StatusOr<std::string> NewShmId(absl::string_view rest, size_t bytes) { return tcp::NewId("shm", rest, bytes); }

}  // namespace ccl
