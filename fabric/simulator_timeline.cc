// The simulator where the system itself changes: timeline and circuits, and what then never ends.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "fabric/simulator.h"

namespace fabric {

// What the timeline says of this instant.
void Simulator::Change() {
  timeline_->Advance();
  for (uint32_t port : timeline_->ports()) {
    const int64_t rate = timeline_->Rate(port);
    network_->SetDown(port, rate == 0);
    wires_->SetRate(port, rate);
  }
  for (const auto& [tier, circuits] : timeline_->circuits()) circuits_->Set(circuits, Circuits::kNobody);
}

Time Simulator::Slowed(int endpoint, Time time) const {
  if (timeline_ == nullptr || endpoint < 0) return time;
  const double slow = timeline_->Slow(endpoint);
  return slow == 1 ? time : std::llround(std::min(static_cast<double>(time) * slow,
                                                  static_cast<double>(kLongest)));
}

bool Simulator::TakesCircuit(const Record& r) const {
  return circuits_ != nullptr && r.group < 0 && r.src != r.dst &&
         description_.MeetingTier(r.src, r.dst) == circuits_->tier();
}

void Simulator::Changed(uint32_t id) {
  queue_.Push({now(), records_[id].order, id, kTimer});
}

// The batch of the next instant at which something happens, be it to the system. False if nothing
// is under way, or nothing that is can end.
bool Simulator::Take() {
  if (timeline_ == nullptr || queue_.due()) return queue_.Take(batch_);
  if (records_.in_use() == 0) return false;
  const Time change = timeline_->next();
  if (!queue_.empty()) {
    quiet_since_ = -1;
  } else if (quiet_since_ < 0) {
    quiet_since_ = now();
  }
  if (queue_.empty() && !timeline_->Promises(quiet_since_)) return false;
  if (change <= queue_.next()) queue_.Push({change, 0, 0, kChange});
  return queue_.Take(batch_);
}

std::string Simulator::Stalled() const {
  std::string text;
  if (records_.in_use() == 0) return text;
  int shown = 0;
  const auto add = [&](const std::string& why) {
    if (!why.empty() && shown++ < 8) absl::StrAppend(&text, text.empty() ? "" : "; ", why);
  };
  for (int e = 0; timeline_ != nullptr && e < description_.endpoints; ++e) {
    if (timeline_->Dead(e)) add(timeline_->WhyDead(e));
  }
  for (uint32_t port : timeline_ == nullptr ? std::vector<uint32_t>() : timeline_->touched()) {
    if (timeline_->Rate(port) == 0 && wires_->Holds(port)) add(timeline_->WhyDown(port));
  }
  if (circuits_ != nullptr) add(circuits_->Waiting());
  if (text.empty()) return text;
  for (uint32_t id = 0; id < records_.size(); ++id) {
    const Record& r = records_[id];
    if (r.pending == 0 || r.src < 0 || r.dst < 0 || r.src == r.dst) continue;
    absl::StrAppend(&text, "; under way for ever: ", r.bytes, " bytes from endpoint ", r.src,
                    " to endpoint ", r.dst);
    break;
  }
  return text;
}

}  // namespace fabric
