#include "fabric/graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fabric/mix.h"

namespace fabric {
namespace {

constexpr uint16_t kFar = std::numeric_limits<uint16_t>::max();

int Nodes(const Description& d) { return d.endpoints + static_cast<int>(d.switches.size()); }

Adjacency Neighbours(const Description& d) {
  Adjacency edges(Nodes(d));
  for (size_t i = 0; i < d.links.size(); ++i) {
    const uint32_t port = static_cast<uint32_t>(2 * i);
    edges[d.links[i].from].push_back({d.links[i].to, port});
    edges[d.links[i].to].push_back({d.links[i].from, port + 1});
  }
  for (std::vector<Edge>& list : edges) {
    std::sort(list.begin(), list.end(), [](const Edge& a, const Edge& b) {
      return a.to != b.to ? a.to < b.to : a.port < b.port;
    });
  }
  return edges;
}

// Links from every node to `dst`; `order`: the nodes by distance.
std::vector<uint16_t> Distances(const Adjacency& edges, int dst, std::vector<int>& order) {
  std::vector<uint16_t> distance(edges.size(), kFar);
  order.assign(1, dst);
  distance[dst] = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    for (const Edge& edge : edges[order[i]]) {
      if (distance[edge.to] != kFar) continue;
      distance[edge.to] = static_cast<uint16_t>(distance[order[i]] + 1);
      order.push_back(edge.to);
    }
  }
  return distance;
}

// From one node over a link into the next, through it if it is a switch.
Time StepLatency(const Description& d, const Edge& edge) {
  return d.links[edge.port / 2].latency +
         (edge.to >= d.endpoints ? d.switches[edge.to - d.endpoints].latency : 0);
}

std::string NodeName(const Description& d, int node) {
  return node < d.endpoints ? absl::StrCat("endpoint ", node)
                            : d.switches[node - d.endpoints].name;
}

}  // namespace

absl::Status ValidateGraph(const Description& d) {
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(absl::StrCat(d.name, ": ", parts...));
  };
  if (d.endpoints < 1 || d.switches.size() > kMaxGraphNodes || d.endpoints > kMaxGraphNodes ||
      Nodes(d) > kMaxGraphNodes) {
    return error("a graph has 1 to ", kMaxGraphNodes, " endpoints and switches, not ",
                 static_cast<size_t>(d.endpoints) + d.switches.size());
  }
  for (const GraphSwitch& s : d.switches) {
    if (!IsDelay(s.latency)) return error("switch ", s.name, ": latency out of range");
  }
  for (const Link& link : d.links) {
    for (int node : {link.from, link.to}) {
      if (node < 0 || node >= Nodes(d)) return error("a link to node ", node, ", which is none");
    }
    const std::string name =
        absl::StrCat("link of ", NodeName(d, link.from), " and ", NodeName(d, link.to));
    if (link.from == link.to) return error(name, ": ends where it begins");
    if (!(link.bandwidth >= 1 && link.bandwidth <= 1e18)) {
      return error(name, ": bandwidth out of range");
    }
    if (!IsDelay(link.latency)) return error(name, ": latency out of range");
  }
  const Adjacency edges = Neighbours(d);
  std::vector<int> order;
  const std::vector<uint16_t> distance = Distances(edges, 0, order);
  if (edges[0].empty()) return error("endpoint 0 has no link");
  for (int e = 1; e < d.endpoints; ++e) {
    if (distance[e] == kFar) return error("endpoint 0 and endpoint ", e, " cannot reach each other");
  }
  return absl::OkStatus();
}

Tier GraphTier(const Description& d) {
  Tier tier;
  tier.name = "graph";
  tier.kind = TierKind::kMesh;
  tier.group_size = d.endpoints;
  const Adjacency edges = Neighbours(d);
  for (const Link& link : d.links) {
    const bool first = &link == &d.links.front();
    tier.link_bandwidth = first ? link.bandwidth : std::min(tier.link_bandwidth, link.bandwidth);
  }
  for (int e = 0; e < d.endpoints; ++e) {
    double sum = 0;
    for (const Edge& edge : edges[e]) sum += d.links[edge.port / 2].bandwidth;
    tier.port_bandwidth = e == 0 ? sum : std::min(tier.port_bandwidth, sum);
  }
  std::vector<int> order;
  std::vector<Time> latency(edges.size());
  for (int dst = 0; dst < d.endpoints; ++dst) {
    const std::vector<uint16_t> distance = Distances(edges, dst, order);
    latency[dst] = 0;
    for (size_t i = 1; i < order.size(); ++i) {
      const int node = order[i];
      Time best = -1;
      for (const Edge& edge : edges[node]) {
        if (distance[edge.to] + 1 != distance[node]) continue;
        const Time time = latency[edge.to] + StepLatency(d, edge);
        if (best >= 0 && time >= best) continue;
        if (best >= 0 && !d.hash_routes) break;  // the first is taken
        best = time;
      }
      latency[node] = best;
      if (node < d.endpoints) tier.switch_latency = std::max(tier.switch_latency, best);
    }
  }
  return tier;
}

GraphNetwork::GraphNetwork(const Description& description)
    : Network(description.endpoints), d_(description), edges_(Neighbours(description)) {
  for (const Link& link : d_.links) {
    ports_.resize(ports_.size() + 2, {std::llround(link.bandwidth), PortKind::kLink, 0});
  }
  distances_.resize(d_.endpoints);
}

absl::StatusOr<std::unique_ptr<Network>> GraphNetwork::Create(
    const Description& description) {
  if (absl::Status status = ValidateGraph(description); !status.ok()) return status;
  return std::unique_ptr<Network>(new GraphNetwork(description));
}

uint32_t GraphNetwork::ProfileOf(std::vector<Time> latencies) {
  const auto found = interned_.find(latencies);
  if (found != interned_.end()) return found->second;
  const uint32_t profile = AddProfile(latencies);
  interned_.emplace(std::move(latencies), profile);
  return profile;
}

void GraphNetwork::Route(int src, int dst, Path& path) {
  path.ports.clear();
  std::vector<Time> latencies;
  if (src == dst) {  // to a neighbour and back
    const Edge& edge = edges_[src].front();
    path.ports = {edge.port, edge.port ^ 1};
    latencies = {StepLatency(d_, edge), d_.links[edge.port / 2].latency};
    path.profile = ProfileOf(std::move(latencies));
    return;
  }
  if (distances_[dst] == nullptr) {
    std::vector<int> order;
    distances_[dst] = std::make_unique<const std::vector<uint16_t>>(
        Distances(edges_, dst, order));
  }
  const std::vector<uint16_t>& distance = *distances_[dst];
  const uint64_t pair = static_cast<uint64_t>(src) << 32 | static_cast<uint32_t>(dst);
  for (int node = src; node != dst;) {
    const std::vector<Edge>& edges = edges_[node];
    const auto nearer = [&](const Edge& edge) { return distance[edge.to] + 1 == distance[node]; };
    auto edge = std::find_if(edges.begin(), edges.end(), nearer);
    if (d_.hash_routes) {
      const auto choices = std::count_if(edges.begin(), edges.end(), nearer);
      uint64_t skip = Mix(pair ^ Mix(d_.seed + static_cast<uint64_t>(node))) %
                      static_cast<uint64_t>(choices);
      for (; skip > 0; --skip) edge = std::find_if(edge + 1, edges.end(), nearer);
    }
    path.ports.push_back(edge->port);
    latencies.push_back(StepLatency(d_, *edge));
    node = edge->to;
  }
  path.profile = ProfileOf(std::move(latencies));
}

void GraphNetwork::Climb(int src, int, Path& path) { Route(src, src, path); }
void GraphNetwork::Descend(int, int dst, Path& path) { Route(dst, dst, path); }

absl::Status GraphNetwork::Find(const TimelineEvent& event, std::vector<Lane>& lanes) const {
  if (!event.tier.empty() || event.group != TimelineEvent::kUnset) {
    return absl::InvalidArgumentError("a graph has no tiers and groups, only endpoints and links");
  }
  int ends[2] = {-1, -1};
  for (int i = 0; i < 2 && !event.from.empty(); ++i) {
    const std::string& text = i == 0 ? event.from : event.to;
    for (int node = 0; node < Nodes(d_); ++node) {
      if (text == (node < d_.endpoints ? absl::StrCat(node) : NodeName(d_, node))) ends[i] = node;
    }
    if (ends[i] >= 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        i == 0 ? "from" : "to", ": there is no endpoint and no switch \"", text, "\""));
  }
  for (uint32_t i = 0; i < d_.links.size(); ++i) {
    const Link& link = d_.links[i];
    const bool hit =
        event.from.empty()
            ? event.endpoint == TimelineEvent::kAll ? std::min(link.from, link.to) < d_.endpoints
                                                    : link.from == event.endpoint || link.to == event.endpoint
            : (link.from == ends[0] && link.to == ends[1]) || (link.from == ends[1] && link.to == ends[0]);
    if (!hit) continue;
    lanes.push_back({.port = 2 * i});
    lanes.push_back({.port = 2 * i + 1});
  }
  if (lanes.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no link between ", event.from, " and ", event.to));
  }
  return absl::OkStatus();
}

std::string GraphNetwork::PortName(uint32_t port) const {
  const Link& link = d_.links[port / 2];
  const bool back = port % 2 == 1;
  return absl::StrCat("link ", NodeName(d_, back ? link.to : link.from), " to ",
                      NodeName(d_, back ? link.from : link.to));
}

int GraphNetwork::PortEndpoint(uint32_t port) const {
  const Link& link = d_.links[port / 2];
  const int from = port % 2 == 1 ? link.to : link.from;
  return from < d_.endpoints ? from : -1;
}

}  // namespace fabric
