#include "fabric/tiers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fabric/mix.h"

namespace fabric {
namespace {

constexpr size_t kMaxPorts = size_t{1} << 24;

}  // namespace

absl::StatusOr<std::unique_ptr<Network>> TieredNetwork::Create(
    const Description& description) {
  std::unique_ptr<TieredNetwork> network(new TieredNetwork(description));
  if (absl::Status status = network->Build(); !status.ok()) return status;
  return std::unique_ptr<Network>(std::move(network));
}

uint32_t TieredNetwork::AddPorts(size_t count, double rate, PortKind kind, int tier) {
  const uint32_t first = static_cast<uint32_t>(ports_.size());
  ports_.resize(std::min(ports_.size() + count, kMaxPorts + 1),
                {std::llround(rate), kind, static_cast<int16_t>(tier)});
  return first;
}

// `input` is the most that a group of tier `tier` can send, then what leaves it.
absl::Status TieredNetwork::AddUplinks(int tier, double& input) {
  const Tier& t = d_.tiers[tier];
  TierPorts& ports = tiers_[tier];
  const int64_t pipes = d_.Pipes(tier);
  if (pipes > static_cast<int64_t>(kMaxPorts)) return TooLarge(tier, "ports and links");
  ports.pipes = static_cast<int>(pipes);
  if (t.uplink_bandwidth == 0) return absl::OkStatus();
  const size_t count = static_cast<size_t>(d_.Groups(tier)) * ports.pipes;
  const double rate = t.uplink_bandwidth * d_.Goodput(tier + 1) / ports.pipes;
  if (rate < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        d_.name, ": tier ", t.name, ": uplink_bandwidth leaves less than 1 B/s to each of ", pipes,
        " uplinks"));
  }
  // One pipe as fast as all that can come in never queues, unless something happens to it.
  const bool touched =
      std::any_of(d_.timeline.begin(), d_.timeline.end(), [&](const TimelineEvent& event) {
        return event.group != TimelineEvent::kUnset && event.tier == t.name;
      });
  if (ports.pipes > 1 || t.uplink_bandwidth < input || touched) {
    ports.up = AddPorts(count, rate, PortKind::kUp, tier);
  }
  ports.down = AddPorts(count, rate, PortKind::kDown, tier);
  input = std::min(input, t.uplink_bandwidth);
  return absl::OkStatus();
}

absl::Status TieredNetwork::TooLarge(int tier, absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(d_.name, ": tier ", d_.tiers[tier].name,
                                                 " takes it over ", kMaxPorts, " ", what));
}

absl::Status TieredNetwork::Build() {
  const int tiers = static_cast<int>(d_.tiers.size());
  const size_t endpoints = static_cast<size_t>(d_.endpoints);
  tiers_.resize(tiers);
  if (d_.memory_bandwidth > 0) {
    loads_ = AddPorts(endpoints, d_.memory_bandwidth, PortKind::kLoad, 0);
    stores_ = AddPorts(endpoints, d_.memory_bandwidth, PortKind::kStore, 0);
  }
  double input = 0;
  int inner = 1;  // endpoints a group of the tier below holds
  for (int i = 0; i < tiers; ++i) {
    const Tier& t = d_.tiers[i];
    TierPorts& ports = tiers_[i];
    ports.entry = d_.EntryTier(i);
    const int holds = std::min(t.group_size, d_.endpoints) / t.rails;
    if (ports.entry == i) {
      if (t.port_bandwidth > 0) {
        // Of links, the ports are no fibres.
        const double rate = t.port_bandwidth * (d_.HasLinks(i) ? 1 : d_.Goodput(i));
        ports.send = AddPorts(endpoints, rate, PortKind::kSend, i);
        ports.receive = AddPorts(endpoints, rate, PortKind::kReceive, i);
      }
      input = t.port_bandwidth * std::max(1, holds);
    } else {
      ports.send = tiers_[ports.entry].send;
      ports.receive = tiers_[ports.entry].receive;
      const int below = (holds + inner - 1) / inner;
      input *= below;
    }
    inner = std::max(1, holds);
    if (t.kind == TierKind::kMesh) {
      ports.links = AddPorts(endpoints * t.group_size, t.link_bandwidth * d_.Goodput(i),
                             PortKind::kLink, i);
    } else if (t.kind == TierKind::kTorus) {
      ports.links = AddPorts(endpoints * 2 * t.dimensions.size(), t.link_bandwidth * d_.Goodput(i),
                             PortKind::kLink, i);
    } else if (i + 1 < tiers && d_.EntryTier(i + 1) != i + 1) {
      if (absl::Status status = AddUplinks(i, input); !status.ok()) return status;
    }
    if (ports_.size() > kMaxPorts) return TooLarge(i, "ports and links");
    if (absl::Status status = AddProfiles(i); !status.ok()) return status;
  }
  period_ = Period();
  return absl::OkStatus();
}

// A shift keeps groups together when it is a multiple of the size of every group but the one that
// holds all, rails when it is a multiple of their number, and choices by modulo when it is a multiple
// of the pipes. A hash keeps nothing. A path round a torus visits links that are each other's shifts,
// and would visit a folded one twice, which no engine is made for.
int TieredNetwork::Period() const {
  const int n = d_.endpoints, tiers = static_cast<int>(d_.tiers.size());
  int64_t period = 1;
  for (int i = 0; i < tiers && period <= n; ++i) {
    const Tier& t = d_.tiers[i];
    period = std::lcm(period, t.rails);
    if (t.group_size < n) {
      period = std::lcm(period, t.group_size);
    } else if (t.rails == 1) {  // holds all: nothing goes further
      if (t.kind == TierKind::kTorus) return n;
      break;
    }
    if (tiers_[i].pipes == 1) continue;
    if (t.routing == Routing::kHash) return n;
    period = std::lcm(period, tiers_[i].pipes);
  }
  return period <= n && n % period == 0 ? static_cast<int>(period) : n;
}

// Of a whole route: where memories have ports, no time passes between them and those of the tiers.
uint32_t TieredNetwork::AddRoute(std::vector<Time> latencies) {
  if (loads_ != kNone) {
    latencies.insert(latencies.begin(), 0);
    latencies.push_back(0);
  }
  return AddProfile(std::move(latencies));
}

absl::Status TieredNetwork::AddProfiles(int tier) {
  TierPorts& ports = tiers_[tier];
  const Tier& t = d_.tiers[tier];
  const Time crossing = d_.TierLatency(tier, true);
  if (d_.HasLinks(tier)) {
    int longest = 1;
    if (t.kind == TierKind::kTorus) {
      longest = 0;
      for (int size : t.dimensions) longest += size / 2;
      // A profile for every distance: their lengths add up to the half of its square.
      if (static_cast<size_t>(longest) * longest / 2 > kMaxPorts) {
        return TooLarge(tier, "latencies of routes round it; more dimensions make them shorter");
      }
    }
    // From the port to the first link no time, then that of every link, none behind the receive
    // port.
    for (int links = 1; links <= longest; ++links) {
      std::vector<Time> latencies;
      if (ports.send != kNone) latencies.push_back(0);
      latencies.insert(latencies.end(), links, crossing);
      if (ports.receive != kNone) latencies.push_back(0);
      const uint32_t profile = AddRoute(std::move(latencies));
      if (links == 1) ports.route = profile;
    }
    return absl::OkStatus();
  }
  std::vector<Time> up, down = {};
  Time since = 0;
  for (int i = ports.entry; i < tier; ++i) {
    since += d_.TierLatency(i, false);
    if (tiers_[i].up != kNone) up.push_back(since), since = 0;
  }
  const Time fibre = d_.FibreLatency(tier);
  std::vector<Time> route = up, climb = up;
  climb.push_back(since + crossing - fibre);
  since += crossing;
  Time below = fibre;
  for (int i = tier - 1; i >= ports.entry; --i) {
    if (tiers_[i].down != kNone) {
      route.push_back(since), since = 0;
      down.push_back(below), below = 0;
    }
    since += d_.TierLatency(i, false);
    below += d_.TierLatency(i, false);
  }
  route.push_back(since);
  route.push_back(0);  // behind the receive port
  // Of the way down, what precedes its first port passes behind its last one instead: the sum and
  // the order of the ports are the same.
  Time first = down.empty() ? below : down.front();
  std::vector<Time> descend;
  if (!down.empty()) {
    descend.assign(down.begin() + 1, down.end());
    descend.push_back(below);
  }
  if (loads_ != kNone) descend.push_back(0);
  descend.push_back(first);
  ports.route = AddRoute(std::move(route));
  if (loads_ != kNone) climb.insert(climb.begin(), 0);
  ports.climb = AddProfile(std::move(climb));
  ports.descend = AddProfile(std::move(descend));
  return absl::OkStatus();
}

// Extends the choice of pipes made on the tiers below by that of this tier.
int TieredNetwork::Pick(int tier, int src, int dst, int& choice) const {
  const Tier& t = d_.tiers[tier];
  if (t.routing == Routing::kHash) {
    const uint64_t pair = static_cast<uint64_t>(src) << 32 | static_cast<uint32_t>(dst);
    choice = choice * t.uplinks +
             static_cast<int>(Mix(pair ^ Mix(d_.seed + static_cast<uint64_t>(tier))) % t.uplinks);
  } else if (t.routing == Routing::kModulo) {
    const int below = tiers_[tier].pipes / t.uplinks;
    choice = choice * t.uplinks + dst / below % t.uplinks;
  }
  return choice;
}

// The choice of uplinks, or by another hash one of the tier's that are up on both sides, if any is.
int TieredNetwork::Avoid(int tier, int src, int dst, int choice) const {
  const Tier& t = d_.tiers[tier];
  const TierPorts& ports = tiers_[tier];
  if (t.routing != Routing::kHash || ports.down == kNone) return choice;
  const auto up = [&](int pipe) {
    return !(ports.up != kNone && IsDown(ports.up + d_.GroupOf(src, tier) * ports.pipes + pipe)) &&
           !IsDown(ports.down + d_.GroupOf(dst, tier) * ports.pipes + pipe);
  };
  if (up(choice)) return choice;
  const int first = choice / t.uplinks * t.uplinks;
  int left = 0;
  for (int pipe = first; pipe < first + t.uplinks; ++pipe) left += up(pipe);
  if (left == 0) return choice;
  const uint64_t pair = static_cast<uint64_t>(src) << 32 | static_cast<uint32_t>(dst);
  uint64_t skip = Mix(Mix(pair) + d_.seed + static_cast<uint64_t>(tier)) % static_cast<uint64_t>(left);
  for (int pipe = first;; ++pipe) {
    if (up(pipe) && skip-- == 0) return pipe;
  }
}

void TieredNetwork::Route(int src, int dst, Path& path) {
  path.ports.clear();
  if (loads_ != kNone) path.ports.push_back(loads_ + src % modulus_);
  RouteTiers(src, dst, path);
  if (loads_ != kNone) path.ports.push_back(stores_ + dst % modulus_);
}

void TieredNetwork::RouteTiers(int src, int dst, Path& path) const {
  const int turn = d_.MeetingTier(src, dst);
  const TierPorts& at = tiers_[turn];
  // The same path, shifted so that it begins at the first of its endpoints.
  const int shift = src - src % modulus_;
  src -= shift;
  dst = dst < shift ? dst - shift + d_.endpoints : dst - shift;
  if (d_.tiers[turn].kind == TierKind::kTorus) return RouteTorus(turn, src, dst, path);
  if (d_.tiers[turn].kind == TierKind::kMesh) {
    const int size = d_.tiers[turn].group_size, begin = src / size * size;
    if (src == dst) dst = begin + (src - begin + 1) % std::min(size, d_.endpoints - begin);
    path.profile = at.route;
    if (at.send != kNone) path.ports.push_back(at.send + src);
    path.ports.push_back(at.links + static_cast<uint32_t>(src) * size + (dst - begin));
    if (at.receive != kNone) path.ports.push_back(at.receive + dst % modulus_);
    return;
  }
  path.profile = at.route;
  path.ports.push_back(at.send + src);
  dst %= modulus_;
  int choices[128];
  int choice = 0;
  for (int i = at.entry; i < turn; ++i) {
    choices[i] = Pick(i, src, dst, choice);
    if (downs_ > 0) choices[i] = choice = Avoid(i, src, dst, choice);
    if (tiers_[i].up != kNone) {
      path.ports.push_back(tiers_[i].up + d_.GroupOf(src, i) * tiers_[i].pipes + choices[i]);
    }
  }
  for (int i = turn - 1; i >= at.entry; --i) {
    if (tiers_[i].down == kNone) continue;
    path.ports.push_back(tiers_[i].down + d_.GroupOf(dst, i) * tiers_[i].pipes + choices[i]);
  }
  path.ports.push_back(at.receive + dst);
}

// Dimension after dimension, the shorter way round each; the way up in numbers when both are.
void TieredNetwork::RouteTorus(int tier, int src, int dst, Path& path) const {
  const Tier& t = d_.tiers[tier];
  const TierPorts& at = tiers_[tier];
  const int begin = src / t.group_size * t.group_size;
  const int dimensions = static_cast<int>(t.dimensions.size());
  if (src == dst) {  // a link that goes nowhere else
    path.profile = at.route;
    if (at.send != kNone) path.ports.push_back(at.send + src);
    path.ports.push_back(at.links + static_cast<uint32_t>(src) * 2 * dimensions);
    if (at.receive != kNone) path.ports.push_back(at.receive + dst);
    return;
  }
  if (at.send != kNone) path.ports.push_back(at.send + src);
  int here = src - begin, stride = 1, links = 0;
  const int there = dst - begin;
  for (int k = 0; k < dimensions; ++k) {
    const int size = t.dimensions[k];
    int x = here / stride % size;
    const int goal = there / stride % size;
    const int ahead = (goal - x + size) % size;
    const bool up = ahead <= size - ahead;
    for (; x != goal; ++links) {
      path.ports.push_back(at.links + static_cast<uint32_t>(begin + here) * 2 * dimensions +
                           2 * k + (up ? 0 : 1));
      const int next = (x + (up ? 1 : size - 1)) % size;
      here += (next - x) * stride;
      x = next;
    }
    stride *= size;
  }
  if (at.receive != kNone) path.ports.push_back(at.receive + dst);
  path.profile = at.route + links - 1;
}

void TieredNetwork::Climb(int src, int tier, Path& path) {
  const TierPorts& at = tiers_[tier];
  path.ports.clear();
  path.profile = at.climb;
  if (loads_ != kNone) path.ports.push_back(loads_ + src);
  path.ports.push_back(at.send + src);
  int choice = 0;
  for (int i = at.entry; i < tier; ++i) {
    Pick(i, src, src, choice);
    if (tiers_[i].up != kNone) {
      path.ports.push_back(tiers_[i].up + d_.GroupOf(src, i) * tiers_[i].pipes + choice);
    }
  }
}

void TieredNetwork::Descend(int tier, int dst, Path& path) {
  const TierPorts& at = tiers_[tier];
  path.ports.clear();
  path.profile = at.descend;
  int choices[128];
  int choice = 0;
  for (int i = at.entry; i < tier; ++i) choices[i] = Pick(i, dst, dst, choice);
  for (int i = tier - 1; i >= at.entry; --i) {
    if (tiers_[i].down == kNone) continue;
    path.ports.push_back(tiers_[i].down + d_.GroupOf(dst, i) * tiers_[i].pipes + choices[i]);
  }
  path.ports.push_back(at.receive + dst);
  if (loads_ != kNone) path.ports.push_back(stores_ + dst);
}

std::string TieredNetwork::PortName(uint32_t port) const {
  const Port& p = ports_[port];
  const Tier& t = d_.tiers[p.tier];
  const TierPorts& ports = tiers_[p.tier];
  switch (p.kind) {
    case PortKind::kLoad:
      return absl::StrCat("endpoint ", port - loads_, " memory load");
    case PortKind::kStore:
      return absl::StrCat("endpoint ", port - stores_, " memory store");
    case PortKind::kSend:
      return absl::StrCat("endpoint ", port - ports.send, " send ", t.name);
    case PortKind::kReceive:
      return absl::StrCat("endpoint ", port - ports.receive, " receive ", t.name);
    case PortKind::kUp:
    case PortKind::kDown: {
      const uint32_t index = port - (p.kind == PortKind::kUp ? ports.up : ports.down);
      std::string name = absl::StrCat(t.name, " ", index / ports.pipes,
                                      p.kind == PortKind::kUp ? " up" : " down");
      if (ports.pipes > 1) absl::StrAppend(&name, " ", index % ports.pipes);
      return name;
    }
    case PortKind::kLink: {
      const uint32_t index = port - ports.links;
      if (t.kind == TierKind::kMesh) {
        const uint32_t src = index / t.group_size;
        return absl::StrCat("link ", src, " to ",
                            src / t.group_size * t.group_size + index % t.group_size);
      }
      const uint32_t each = static_cast<uint32_t>(2 * t.dimensions.size());
      return absl::StrCat("link ", index / each, " dimension ", index % each / 2,
                          index % 2 == 0 ? " up" : " down");
    }
  }
  return "";
}

int TieredNetwork::PortEndpoint(uint32_t port) const {
  const Port& p = ports_[port];
  const Tier& t = d_.tiers[p.tier];
  const TierPorts& ports = tiers_[p.tier];
  switch (p.kind) {
    case PortKind::kSend:
      return static_cast<int>(port - ports.send);
    case PortKind::kReceive:
      return static_cast<int>(port - ports.receive);
    case PortKind::kLoad:
      return static_cast<int>(port - loads_);
    case PortKind::kStore:
      return static_cast<int>(port - stores_);
    case PortKind::kLink:
      return static_cast<int>((port - ports.links) /
                              (t.kind == TierKind::kMesh ? t.group_size : 2 * t.dimensions.size()));
    case PortKind::kUp:
    case PortKind::kDown:
      break;
  }
  return -1;
}

}  // namespace fabric
