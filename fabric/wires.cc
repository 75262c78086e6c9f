#include "fabric/wires.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fabric/fifo.h"
#include "fabric/fluid.h"
#include "fabric/nearest.h"
#include "fabric/packet.h"

namespace fabric {
namespace {

constexpr EngineKind kEngines[] = {EngineKind::kFifo, EngineKind::kFluid, EngineKind::kPacket};

}  // namespace

absl::string_view EngineName(EngineKind kind) {
  switch (kind) {
    case EngineKind::kFifo:
      return "fifo";
    case EngineKind::kFluid:
      return "fluid";
    case EngineKind::kPacket:
      return "packet";
  }
  return "";
}

absl::StatusOr<EngineKind> ParseEngine(absl::string_view name) {
  std::vector<std::string> names;
  for (EngineKind kind : kEngines) {
    if (EngineName(kind) == name) return kind;
    names.emplace_back(EngineName(kind));
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown engine \"", name, "\"; did you mean \"",
                                                 Nearest(name, names), "\"? Engines: ",
                                                 absl::StrJoin(names, ", ")));
}

std::unique_ptr<Wires> Wires::Create(EngineKind kind, const Network& network,
                                     const Description& description, bool rates_change,
                                     Queue& queue, Arrivals& arrivals) {
  switch (kind) {
    case EngineKind::kFluid:
      return std::make_unique<FluidWires>(network, queue, arrivals);
    case EngineKind::kPacket:
      return std::make_unique<PacketWires>(network, description, queue, arrivals);
    case EngineKind::kFifo:
      break;
  }
  return std::make_unique<FifoWires>(network, description, rates_change, queue, arrivals);
}

}  // namespace fabric
