#include "fabric/network.h"

#include <utility>

#include "fabric/graph.h"
#include "fabric/tiers.h"

namespace fabric {

absl::string_view Name(PortKind kind) {
  switch (kind) {
    case PortKind::kSend:
      return "send";
    case PortKind::kReceive:
      return "receive";
    case PortKind::kUp:
      return "up";
    case PortKind::kDown:
      return "down";
    case PortKind::kLink:
      return "link";
    case PortKind::kLoad:
      return "load";
    case PortKind::kStore:
      return "store";
  }
  return "";
}

absl::StatusOr<std::unique_ptr<Network>> Network::Create(const Description& description) {
  if (absl::Status status = Validate(description); !status.ok()) return status;
  if (!description.links.empty()) return GraphNetwork::Create(description);
  return TieredNetwork::Create(description);
}

void Network::SetDown(uint32_t port, bool down) {
  if (down_.empty()) down_.resize(ports_.size());
  downs_ += (down ? 1 : 0) - (down_[port] ? 1 : 0);
  down_[port] = down;
}

uint32_t Network::AddProfile(std::vector<Time> latencies) {
  profiles_.push_back(std::move(latencies));
  return static_cast<uint32_t>(profiles_.size()) - 1;
}

}  // namespace fabric
