// An optical circuit switch in virtual time: which ports are joined, and who waits for what.
//
// A message leaves when the circuit from its source to its destination is set, one at a time of each
// source. Circuits change when somebody asks: a message (on demand, first come first served at the
// port that it leaves and at the one where it ends), the timeline, or a Reconfigure. A change waits
// for its two ports to be idle: what is leaving leaves whole. Then both are dark for the
// reconfiguration time; the circuits that they had are gone from its beginning. Other ports go on.
// Requests that share a port are served in the order in which they came, so none waits for ever.
//
// When nobody schedules, the messages of a source leave in their order. Scheduled, a message
// whose circuit is not set lets others pass.
#ifndef FABRIC_CIRCUITS_H_
#define FABRIC_CIRCUITS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "fabric/circuit_set.h"
#include "fabric/description.h"
#include "fabric/noise.h"
#include "fabric/queue.h"

namespace fabric {

// Who owns the messages and asks for changes.
class CircuitUser {
 public:
  virtual void Pass(uint32_t id) = 0;     // the message leaves now; Circuits::Sent follows
  virtual void Changed(uint32_t id) = 0;  // all circuits of a Set are there

 protected:
  ~CircuitUser() = default;
};

class Circuits {
 public:
  static constexpr uint32_t kNobody = ~0u;

  // Queue entries of `step` come back through Handle. All but `tier` and `step` outlive this.
  Circuits(const Description& description, int tier, const Noisy& noise, uint8_t step, Queue& queue,
           CircuitUser& user);

  int tier() const { return tier_; }
  void Ask(uint32_t id, int src, int dst);
  void Sent(int src);
  // Circuits that do not overlap. `id` comes back when all are set; kNobody: nobody wants to know.
  void Set(absl::Span<const Circuit> circuits, uint32_t id);
  void Handle(uint32_t request);
  // Of messages that wait, up to a few: "endpoint 0 waits for a circuit to endpoint 1".
  std::string Waiting() const;

 private:
  static constexpr int kNone = -1;

  struct Message {
    uint32_t id;
    int dst;
  };
  struct Port {
    int peer = kNone;        // the other end of its circuit
    bool changing = false;
    bool busy = false;       // of a send port: a message is leaving
    std::deque<uint32_t> requests;
    std::deque<Message> messages;  // of a send port
    uint32_t changes = 0;    // of a receive port, so far
  };
  struct Request {
    int src, dst;
    bool demand;    // of the first message of src
    uint32_t user;  // of a Set: index in sets_
  };
  struct SetState {
    uint32_t id;
    size_t left;
  };

  void Add(const Request& request);
  void Try(const std::deque<uint32_t>& requests);
  void Serve(int src);
  void Leave(int src, size_t index);

  const int tier_;
  const Time time_;
  const bool demand_;
  const Noisy& noise_;
  const uint8_t step_;
  Queue& queue_;
  CircuitUser& user_;
  std::vector<Port> send_, receive_;  // by endpoint
  std::vector<Request> requests_;
  std::vector<uint32_t> free_;
  std::vector<SetState> sets_;
};

}  // namespace fabric

#endif  // FABRIC_CIRCUITS_H_
