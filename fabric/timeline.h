// The timeline of a description, played: what every port and endpoint is like at an instant.
#ifndef FABRIC_TIMELINE_H_
#define FABRIC_TIMELINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fabric/description.h"
#include "fabric/network.h"

namespace fabric {

class Timeline {
 public:
  static constexpr Time kNever = INT64_MAX;

  // An error names the event and what it has wrong: a target that does not exist, a rate above the
  // port's own.
  static absl::StatusOr<std::unique_ptr<Timeline>> Create(const Description& description,
                                                          const Network& network);
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  Time next() const { return next_; }  // when something changes, kNever: nothing will
  // Lets happen all that is due at next(), which becomes later. What has changed is in ports(),
  // each once, and circuits().
  void Advance();
  const std::vector<uint32_t>& ports() const { return changed_; }
  // Circuits to set now, as pairs of endpoints, by tier.
  const std::vector<std::pair<int, std::vector<std::pair<int, int>>>>& circuits() const {
    return circuits_;
  }
  int64_t Rate(uint32_t port) const;
  double Slow(int endpoint) const { return slow_.empty() ? 1 : slow_[endpoint]; }
  bool Dead(int endpoint) const { return !dead_since_.empty() && dead_since_[endpoint] >= 0; }
  // Whether something may still change for those who have waited since `since`: all that happens
  // once has not happened, or flaps have not gone through a few of their periods.
  bool Promises(Time since) const;

  // "endpoint 3 send node, down since 20 us (my.toml:12)" of a port that is down.
  std::string WhyDown(uint32_t port) const;
  std::string WhyDead(int endpoint) const;
  // Ports that some event is about.
  const std::vector<uint32_t>& touched() const { return touched_; }

 private:
  struct State {
    Time begin, end;  // of the window under way or to come
    bool active = false;
    std::vector<Lane> lanes;
  };
  // An event of a port, or of one of its lanes.
  struct Hit {
    uint32_t event;
    int lane, parts;
  };
  struct PortState {
    uint32_t port;
    int lanes = 1;  // told apart by an event
    std::vector<Hit> hits;
  };

  Timeline(const Description& description, const Network& network)
      : description_(description), network_(network) {}
  absl::Status Add(uint32_t index);
  void Toggle(uint32_t index);
  PortState* Find(uint32_t port);
  const PortState* Find(uint32_t port) const { return const_cast<Timeline*>(this)->Find(port); }
  double LaneRate(const PortState& state, double rate, int lane) const;

  const Description& description_;
  const Network& network_;
  std::vector<State> states_;  // of each event
  std::vector<PortState> ports_;  // by port
  std::vector<uint32_t> touched_, changed_;
  std::vector<std::pair<int, std::vector<std::pair<int, int>>>> circuits_;
  std::vector<double> slow_;
  std::vector<Time> dead_since_;
  Time next_ = kNever;
  Time last_once_ = -1, longest_period_ = 0;
};

}  // namespace fabric

#endif  // FABRIC_TIMELINE_H_
