// The network of a description by links: endpoints and switches joined in any way.
#ifndef FABRIC_GRAPH_H_
#define FABRIC_GRAPH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fabric/description.h"
#include "fabric/network.h"

namespace fabric {

inline constexpr int kMaxGraphNodes = 4096;

// A directed half of a link: its port is 2 * link, or 2 * link + 1 backwards.
struct Edge {
  int to;
  uint32_t port;
};
using Adjacency = std::vector<std::vector<Edge>>;  // by node

// Checks the links, and that every endpoint reaches every other.
absl::Status ValidateGraph(const Description& description);

// What planning needs of a graph, as if it were a mesh and the only tier of the description: the
// largest latency of a route, the narrowest link as what a message gets, and the sum of the links of
// the endpoint with the least. Of a valid graph.
Tier GraphTier(const Description& description);

// Routes take the fewest links; of equal ones the neighbour with the lowest number, or one by a hash
// of source and destination. Endpoints forward as switches do. Distances to a destination are
// computed when the first message goes there, and do not avoid what is down. Group operations have no switches to run on here.
class GraphNetwork final : public Network {
 public:
  static absl::StatusOr<std::unique_ptr<Network>> Create(const Description& description);

  void Route(int src, int dst, Path& path) override;
  void Climb(int src, int tier, Path& path) override;    // not called: no tier reduces
  void Descend(int tier, int dst, Path& path) override;  // likewise
  absl::Status Find(const TimelineEvent& event, std::vector<Lane>& lanes) const override;
  std::string PortName(uint32_t port) const override;
  int PortEndpoint(uint32_t port) const override;

 private:
  explicit GraphNetwork(const Description& description);
  uint32_t ProfileOf(std::vector<Time> latencies);

  const Description d_;
  const Adjacency edges_;
  // What is computed on demand.
  std::vector<std::unique_ptr<const std::vector<uint16_t>>> distances_;
  std::map<std::vector<Time>, uint32_t> interned_;
};

}  // namespace fabric

#endif  // FABRIC_GRAPH_H_
