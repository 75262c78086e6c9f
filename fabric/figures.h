// Figures that follow from a description, and what its text says about its numbers.
#ifndef FABRIC_FIGURES_H_
#define FABRIC_FIGURES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fabric/description.h"

namespace fabric {

// Bytes/s out of an endpoint (and into it) to tier `tier` through ports or links of its own; 0: the
// tier is entered through the one below.
double OwnBandwidth(const Description& description, int tier);

// Through all of its ports together.
double InjectionBandwidth(const Description& description);

// Bytes/s, one way, from one half of the endpoints to the other, when groups are split only where
// they must be. Routes that collide are not counted.
double BisectionBandwidth(const Description& description);

// The innermost tier that holds all endpoints in one group.
int OutermostTier(const Description& description);

// Switches, or links of a mesh or torus, on the way between two different endpoints.
int Hops(const Description& description, int src, int dst);

// A number of a file, and the comment that stands above it or behind it.
struct Note {
  std::string key, value, source;
};
std::vector<Note> Notes(absl::string_view text);

}  // namespace fabric

#endif  // FABRIC_FIGURES_H_
