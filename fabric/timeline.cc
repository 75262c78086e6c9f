#include "fabric/timeline.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "fabric/circuit_set.h"

namespace fabric {
namespace {

constexpr int kPatience = 4;  // periods of a flap that somebody who waits is given

}  // namespace

absl::StatusOr<std::unique_ptr<Timeline>> Timeline::Create(const Description& description,
                                                           const Network& network) {
  std::unique_ptr<Timeline> timeline(new Timeline(description, network));
  timeline->states_.resize(description.timeline.size());
  for (uint32_t i = 0; i < description.timeline.size(); ++i) {
    if (absl::Status status = timeline->Add(i); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat(description.timeline[i].where, ": ",
                                                      status.message()));
    }
  }
  std::vector<uint32_t>& touched = timeline->touched_;
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (uint32_t port : touched) timeline->ports_.push_back({.port = port});
  for (uint32_t i = 0; i < description.timeline.size(); ++i) {
    for (const Lane& lane : timeline->states_[i].lanes) {
      PortState& state = *timeline->Find(lane.port);
      state.lanes = std::max(state.lanes, lane.lanes);
      state.hits.push_back({i, lane.lane, lane.parts});
    }
  }
  return timeline;
}

absl::Status Timeline::Add(uint32_t index) {
  const TimelineEvent& event = description_.timeline[index];
  State& state = states_[index];
  state.begin = event.at;
  state.end = event.until < 0 ? kNever : event.until;
  next_ = std::min(next_, event.at);
  if (event.every > 0) {
    longest_period_ = std::max(longest_period_, event.every);
  } else {
    last_once_ = std::max({last_once_, event.at, event.until});
  }
  if (event.endpoint >= description_.endpoints) {
    return absl::InvalidArgumentError(absl::StrCat("there is no endpoint ", event.endpoint, ", only 0 to ",
                                                   description_.endpoints - 1));
  }
  if (!event.circuits.empty()) return ParseCircuits(description_, event).status();
  if (event.slow > 0 && slow_.empty()) slow_.assign(description_.endpoints, 1);
  if (event.dead && dead_since_.empty()) dead_since_.assign(description_.endpoints, -1);
  if (event.slow > 0) return absl::OkStatus();
  absl::Status status = network_.Find(event, state.lanes);
  if (!status.ok()) return status;
  if (touched_.size() + state.lanes.size() > kMaxLanes) {
    return absl::InvalidArgumentError(absl::StrCat("takes the events over ", kMaxLanes, " ports"));
  }
  for (const Lane& lane : state.lanes) {
    touched_.push_back(lane.port);
    const double own = static_cast<double>(network_.ports()[lane.port].rate) / lane.lanes;
    if (event.rate / lane.parts <= own * (1 + 1e-9)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "a rate of ", event.rate / 1e9, " GB/s is above that of ", network_.PortName(lane.port), ", ",
        own * lane.parts / 1e9, " GB/s"));
  }
  return absl::OkStatus();
}

Timeline::PortState* Timeline::Find(uint32_t port) {
  const auto found = std::lower_bound(ports_.begin(), ports_.end(), port,
                                      [](const PortState& s, uint32_t p) { return s.port < p; });
  return found != ports_.end() && found->port == port ? &*found : nullptr;
}

// Of one lane of `state.lanes`, each of which has `rate` by itself.
double Timeline::LaneRate(const PortState& state, double rate, int lane) const {
  double factor = 1, most = rate;
  for (const Hit& hit : state.hits) {
    if (!states_[hit.event].active || (hit.lane >= 0 && hit.lane != lane)) continue;
    const TimelineEvent& event = description_.timeline[hit.event];
    if (event.down || event.dead) return 0;
    if (event.factor > 0) factor *= event.factor;
    if (event.rate > 0) {
      most = std::min(most, event.rate / (hit.lane >= 0 ? 1 : state.lanes) / hit.parts);
    }
  }
  return std::min(rate * factor, most);
}

int64_t Timeline::Rate(uint32_t port) const {
  const int64_t own = network_.ports()[port].rate;
  const PortState* const state = Find(port);
  if (state == nullptr) return own;
  double sum = 0;
  for (int lane = 0; lane < state->lanes; ++lane) {
    sum += LaneRate(*state, static_cast<double>(own) / state->lanes, lane);
  }
  if (sum == 0) return 0;
  return std::clamp<int64_t>(std::llround(sum), 1, own);
}

void Timeline::Toggle(uint32_t index) {
  const TimelineEvent& event = description_.timeline[index];
  State& state = states_[index];
  if (!event.circuits.empty()) {
    circuits_.push_back(*ParseCircuits(description_, event));
    state.begin = kNever;
    return;
  }
  state.active = !state.active;
  for (const Lane& lane : state.lanes) changed_.push_back(lane.port);
  const auto endpoints = [&](auto change) {
    const bool all = event.endpoint == TimelineEvent::kAll;
    for (int e = all ? 0 : event.endpoint; e < (all ? description_.endpoints : event.endpoint + 1); ++e) {
      change(e);
    }
  };
  if (event.slow > 0) {
    endpoints([&](int e) { slow_[e] = state.active ? slow_[e] * event.slow : slow_[e] / event.slow; });
  }
  if (event.dead) {
    endpoints([&](int e) { dead_since_[e] = dead_since_[e] < 0 ? next_ : dead_since_[e]; });
  }
  if (state.active) return;
  if (event.every == 0) {
    state.begin = kNever;
    return;
  }
  state.begin += event.every;
  state.end += event.every;
}

void Timeline::Advance() {
  changed_.clear();
  circuits_.clear();
  Time next = kNever;
  for (uint32_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    if ((state.active ? state.end : state.begin) == next_) Toggle(i);
    next = std::min(next, state.active ? state.end : state.begin);
  }
  next_ = next;
  std::sort(changed_.begin(), changed_.end());
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
}

bool Timeline::Promises(Time since) const {
  if (next_ == kNever) return false;
  return next_ <= last_once_ || (longest_period_ > 0 && next_ <= since + kPatience * longest_period_);
}

std::string Timeline::WhyDown(uint32_t port) const {
  const PortState* const state = Find(port);
  for (const Hit& hit : state == nullptr ? std::vector<Hit>() : state->hits) {
    const uint32_t index = hit.event;
    const TimelineEvent& event = description_.timeline[index];
    if (!states_[index].active || !(event.down || event.dead)) continue;
    return absl::StrCat(network_.PortName(port), " is down since ", TimeText(states_[index].begin), " (",
                        event.where, ")");
  }
  return "";
}

std::string Timeline::WhyDead(int endpoint) const {
  for (uint32_t i = 0; i < states_.size(); ++i) {
    const TimelineEvent& event = description_.timeline[i];
    if (!event.dead || !states_[i].active ||
        (event.endpoint != endpoint && event.endpoint != TimelineEvent::kAll)) {
      continue;
    }
    return absl::StrCat("endpoint ", endpoint, " is dead since ", TimeText(event.at), " (", event.where,
                        ")");
  }
  return "";
}

}  // namespace fabric
