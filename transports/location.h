// Where a rank runs, and what ranks of a host have in common.
#ifndef TRANSPORTS_LOCATION_H_
#define TRANSPORTS_LOCATION_H_

#include <cstdint>

#include "absl/types/span.h"
#include "transports/processors.h"

namespace ccl {

// Plain bytes: what ranks tell each other. On one host equal sockets are the same, and equal caches; those of
// different hosts are not.
struct Location {
  static constexpr int32_t kNone = -1;

  int32_t host = 0;        // equal numbers, same host
  int32_t socket = kNone;  // its first processor; none where the rank may run on several
  int32_t cache = kNone;   // likewise of the third-level cache
  uint32_t unused = 0;  // so that every byte is written
  ProcessorSet processors;  // on which the rank may run

  // Of the calling thread, as hwloc sees this host (and HWLOC_XMLFILE or HWLOC_SYNTHETIC where they are set); the
  // host's number is the caller's to give. Takes some milliseconds: hwloc opens its plugins and reads files.
  static Location OfThread();
};

// How many times as many ranks as processors a host has, 1 at least; of all hosts, the one where it is worst.
double CrowdingOf(int32_t host, absl::Span<const Location> locations);
double CrowdingOf(absl::Span<const Location> locations);

}  // namespace ccl

#endif  // TRANSPORTS_LOCATION_H_
