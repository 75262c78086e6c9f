// Any bytes are a system, or an error that begins with the name of the file: nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "fabric/file.h"
#include "fabric/figures.h"
#include "fabric/network.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto d = fabric::ParseText(text, "fuzz.toml");
  fabric::Notes(text);
  if (!d.ok()) {
    if (d.status().message().empty()) std::abort();
    return 0;
  }
  if (fabric::InjectionBandwidth(*d) <= 0 || fabric::BisectionBandwidth(*d) < 0) std::abort();
  if (d->endpoints > 4096) return 0;  // ports by the million are valid, and slow
  const auto network = fabric::Network::Create(*d);
  if (!network.ok()) return 0;
  fabric::Path path;
  for (int dst : {0, d->endpoints / 2, d->endpoints - 1}) {
    (*network)->Route(0, dst, path);
    for (uint32_t port : path.ports) {
      if ((*network)->ports().at(port).rate <= 0) std::abort();
    }
  }
  return 0;
}
