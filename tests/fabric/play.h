// Simulators by name, run to their end, and times that are worked out on paper.
#ifndef TESTS_FABRIC_PLAY_H_
#define TESTS_FABRIC_PLAY_H_

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fabric/file.h"
#include "fabric/simulator.h"
#include "gtest/gtest.h"

namespace fabric {

inline std::unique_ptr<Simulator> Play(const std::string& name, int endpoints, std::vector<std::string> sets,
                                       std::vector<std::string> events = {},
                                       EngineKind engine = EngineKind::kFifo) {
  auto description = Load(name, endpoints, sets, events);
  EXPECT_TRUE(description.ok()) << description.status();
  auto simulator = Simulator::Create(*std::move(description), engine);
  EXPECT_TRUE(simulator.ok()) << simulator.status();
  return *std::move(simulator);
}

inline std::vector<Event> Drain(Simulator& simulator) {
  std::vector<Event> events;
  while (simulator.Advance(events)) {
  }
  return events;
}

// Of the last delivery, of all messages or of those to `dst`; -1: none.
inline Time Delivered(const std::vector<Event>& events, int dst = -1) {
  Time last = -1;
  for (const Event& event : events) {
    if (event.kind == EventKind::kDelivered && (dst < 0 || event.dst == dst)) last = std::max(last, event.time);
  }
  return last;
}

inline void Equation(const std::string& equation, Time expected, Time measured) {
  std::printf("  %-72s expected %13" PRId64 " ps  measured %13" PRId64 " ps\n", equation.c_str(), expected,
              measured);
  EXPECT_EQ(expected, measured) << equation;
}

// The words of what is wrong with a system, or "".
inline std::string Refusal(const std::string& toml, std::vector<std::string> events = {}) {
  const auto parsed = ParseText(toml, "my.toml", 0, {}, events);
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

}  // namespace fabric

#endif  // TESTS_FABRIC_PLAY_H_
