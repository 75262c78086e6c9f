#include "fabric/circuits.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fabric {

Circuits::Circuits(const Description& description, int tier, const Noisy& noise, uint8_t step,
                   Queue& queue, CircuitUser& user)
    : tier_(tier),
      time_(description.tiers[tier].reconfiguration),
      demand_(description.tiers[tier].circuits == CircuitPolicy::kDemand),
      noise_(noise),
      step_(step),
      queue_(queue),
      user_(user),
      send_(description.endpoints),
      receive_(description.endpoints) {}

void Circuits::Ask(uint32_t id, int src, int dst) {
  send_[src].messages.push_back({id, dst});
  Serve(src);
}

void Circuits::Leave(int src, size_t index) {
  Port& port = send_[src];
  const uint32_t id = port.messages[index].id;
  port.messages.erase(port.messages.begin() + static_cast<ptrdiff_t>(index));
  port.busy = true;
  user_.Pass(id);
}

// The next message of an idle source, if its circuit is set and nobody waits for the ports.
void Circuits::Serve(int src) {
  Port& port = send_[src];
  if (port.busy || port.changing || !port.requests.empty() || port.messages.empty()) return;
  size_t index = 0;
  if (!demand_) {
    while (index < port.messages.size() && port.messages[index].dst != port.peer) ++index;
    if (index == port.messages.size()) return;
  }
  const int dst = port.messages[index].dst;
  if (port.peer == dst && receive_[dst].requests.empty()) return Leave(src, index);
  if (demand_) Add({src, dst, true, kNobody});
}

void Circuits::Add(const Request& request) {
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(requests_.size());
    requests_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  requests_[index] = request;
  send_[request.src].requests.push_back(index);
  receive_[request.dst].requests.push_back(index);
  Try(send_[request.src].requests);
}

// Begins the first change of a port, if it is the first of its other port too and both are idle.
void Circuits::Try(const std::deque<uint32_t>& requests) {
  if (requests.empty()) return;
  const uint32_t index = requests.front();
  const Request& r = requests_[index];
  Port& out = send_[r.src];
  Port& in = receive_[r.dst];
  if (out.requests.front() != index || in.requests.front() != index) return;
  if (out.busy || out.changing || in.changing) return;
  if (in.peer != kNone && send_[in.peer].busy) return;
  Time until = queue_.now();
  if (out.peer != r.dst) {
    if (in.peer != kNone) send_[in.peer].peer = kNone;
    if (out.peer != kNone) receive_[out.peer].peer = kNone;
    out.peer = in.peer = kNone;
    until += time_ + noise_.Reconfiguration(tier_, r.dst, in.changes++);
  }
  out.changing = in.changing = true;
  if (until == queue_.now()) return Handle(index);
  queue_.Push({until, static_cast<uint64_t>(r.src), index, step_});
}

void Circuits::Handle(uint32_t index) {
  const Request r = requests_[index];
  Port& out = send_[r.src];
  Port& in = receive_[r.dst];
  out.peer = r.dst;
  in.peer = r.src;
  out.changing = in.changing = false;
  out.requests.pop_front();
  in.requests.pop_front();
  free_.push_back(index);
  if (r.demand) {
    Leave(r.src, 0);
  } else {
    SetState& set = sets_[r.user];
    if (--set.left == 0 && set.id != kNobody) user_.Changed(set.id);
    Serve(r.src);
  }
  Try(out.requests);
  Try(in.requests);
}

void Circuits::Sent(int src) {
  Port& port = send_[src];
  const int peer = port.peer;  // which the next line may change
  port.busy = false;
  Try(port.requests);
  Try(receive_[peer].requests);
  Serve(src);
}

void Circuits::Set(absl::Span<const Circuit> circuits, uint32_t id) {
  if (circuits.empty() && id != kNobody) return user_.Changed(id);
  uint32_t set = 0;
  while (set < sets_.size() && sets_[set].left > 0) ++set;  // few are under way at once
  if (set == sets_.size()) sets_.emplace_back();
  sets_[set] = {id, circuits.size()};
  for (const Circuit& circuit : circuits) Add({circuit.first, circuit.second, false, set});
}

std::string Circuits::Waiting() const {
  std::string text;
  int shown = 0;
  for (size_t src = 0; src < send_.size() && shown < 4; ++src) {
    if (send_[src].messages.empty() || send_[src].busy) continue;
    absl::StrAppend(&text, shown++ == 0 ? "" : ", ", "endpoint ", src, " waits for a circuit to endpoint ",
                    send_[src].messages.front().dst);
    if (send_[src].peer != kNone) absl::StrAppend(&text, " and has one to ", send_[src].peer);
  }
  return text;
}

}  // namespace fabric
