// What happens to a system at a time: faults and their repair, and changes of circuits. Plain data.
#ifndef FABRIC_TIMELINE_EVENT_H_
#define FABRIC_TIMELINE_EVENT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fabric/units.h"

namespace fabric {

// One target and one effect, from `at` until `until`. Events on one port add up: it has its own rate
// times all factors, at most the least of the rates, and none while any of them has it down.
struct TimelineEvent {
  static constexpr int kUnset = -1, kAll = -2;

  Time at = -1;     // required
  Time until = -1;  // -1: for good
  Time every = 0;   // > 0: again so long after each beginning, for ever (a flap)

  // The target. A tier may be left out where it is clear.
  std::string tier;
  int endpoint = kUnset;  // its ports to the tier, or to all tiers; kAll: those of every endpoint
  int group = kUnset;     // the uplinks of a group of the tier; kAll: of every group
  int uplink = kUnset;    // one of them (a plane, a lane)
  std::string from, to;   // the link between two endpoints, or nodes of a graph; both ways

  // The effect.
  bool down = false;
  double rate = 0;        // bytes/s of the target
  double factor = 0;      // of its rate, in (0, 1]
  double slow = 0;        // of an endpoint: overheads, reductions, copies and computing take so many
                          // times as long when they begin within the event
  bool dead = false;      // of an endpoint: from then on it sends, takes and computes nothing
  std::string circuits;   // of a tier of circuits, which change to these: "shift 1", "0>1 1>0"

  std::string where;      // begins errors about it: "my.toml:12", or the text itself
};

// Sets one field by its name from a text: "at", "20 us". down and dead take "true" or nothing.
absl::Status SetEventKey(absl::string_view key, absl::string_view value, TimelineEvent& event);

// "at=20us,until=80us,tier=node,endpoint=3,down": the fields, separated by commas.
absl::StatusOr<TimelineEvent> ParseEvent(absl::string_view text);

// For people: "from 20 us to 80 us: endpoint 3, tier node: down".
std::string ToString(const TimelineEvent& event);

// What of it can be judged without knowing the system: one target, one effect, times in order.
absl::Status ValidateEvent(const TimelineEvent& event);

}  // namespace fabric

#endif  // FABRIC_TIMELINE_EVENT_H_
