#include "transports/location.h"

#include <hwloc.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <type_traits>
#include <vector>

namespace ccl {
namespace {

static_assert(std::is_trivially_copyable_v<Location>);

using Machine = std::unique_ptr<hwloc_topology, decltype(&hwloc_topology_destroy)>;
using Bits = std::unique_ptr<hwloc_bitmap_s, decltype(&hwloc_bitmap_free)>;

// Sockets, caches and processors alone; also processors that this process may not use, so that all processes
// of the host see the same. Null when it cannot be told.
Machine ThisMachine() {
  hwloc_topology_t topology = nullptr;
  if (hwloc_topology_init(&topology) != 0) return {nullptr, &hwloc_topology_destroy};
  Machine machine(topology, &hwloc_topology_destroy);
  hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_type_filter(topology, HWLOC_OBJ_PACKAGE, HWLOC_TYPE_FILTER_KEEP_ALL);
  hwloc_topology_set_type_filter(topology, HWLOC_OBJ_L3CACHE, HWLOC_TYPE_FILTER_KEEP_ALL);
  // Without the second one hwloc takes the thread to every processor, where others may be busy, to ask it.
  hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED | HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING);
  if (hwloc_topology_load(topology) != 0) machine.reset();
  return machine;
}

int32_t FirstProcessorOf(hwloc_topology_t machine, hwloc_obj_type_t type, hwloc_const_bitmap_t processors) {
  for (hwloc_obj_t part = nullptr; (part = hwloc_get_next_obj_by_type(machine, type, part)) != nullptr;) {
    if (hwloc_bitmap_isincluded(processors, part->cpuset)) return hwloc_bitmap_first(part->cpuset);
  }
  return Location::kNone;
}

}  // namespace

Location Location::OfThread() {
  Location location;
  location.processors = ProcessorSet::OfThread();
  const Machine machine = ThisMachine();
  const Bits bits(hwloc_bitmap_alloc(), &hwloc_bitmap_free);
  if (machine == nullptr || bits == nullptr) return location;
  for (unsigned i = 0; i < location.processors.words.size(); ++i) {
    for (unsigned bit = 0; bit < 64; ++bit) {
      if (location.processors.words[i] >> bit & 1) hwloc_bitmap_set(bits.get(), 64 * i + bit);
    }
  }
  location.socket = FirstProcessorOf(machine.get(), HWLOC_OBJ_PACKAGE, bits.get());
  location.cache = FirstProcessorOf(machine.get(), HWLOC_OBJ_L3CACHE, bits.get());
  return location;
}

double CrowdingOf(absl::Span<const Location> locations) {
  struct Host {
    ProcessorSet processors;
    int ranks = 0;
  };
  std::map<int32_t, Host> hosts;
  for (const Location& location : locations) {
    Host& host = hosts[location.host];
    host.processors.Add(location.processors);
    ++host.ranks;
  }
  double worst = 1;
  for (const auto& [number, host] : hosts) {
    worst = std::max(worst, static_cast<double>(host.ranks) / std::max(1, host.processors.count()));
  }
  return worst;
}

double CrowdingOf(int32_t host, absl::Span<const Location> locations) {
  std::vector<Location> there;
  std::copy_if(locations.begin(), locations.end(), std::back_inserter(there),
               [host](const Location& location) { return location.host == host; });
  return CrowdingOf(there);
}

}  // namespace ccl
