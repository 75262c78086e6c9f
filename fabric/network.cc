#include "fabric/network.h"

#include <utility>

#include "fabric/graph.h"
#include "fabric/tiers.h"

namespace fabric {

absl::StatusOr<std::unique_ptr<Network>> Network::Create(const Description& description) {
  if (absl::Status status = Validate(description); !status.ok()) return status;
  if (!description.links.empty()) return GraphNetwork::Create(description);
  return TieredNetwork::Create(description);
}

uint32_t Network::AddProfile(std::vector<Time> latencies) {
  profiles_.push_back(std::move(latencies));
  return static_cast<uint32_t>(profiles_.size()) - 1;
}

}  // namespace fabric
