// The window between endpoints and what joins them: how messages share ports. Engines implement it.
#ifndef FABRIC_WIRES_H_
#define FABRIC_WIRES_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fabric/description.h"
#include "fabric/network.h"
#include "fabric/observer.h"
#include "fabric/queue.h"

namespace fabric {

enum class EngineKind : uint8_t {
  kFifo,    // per-hop queues, cut-through; the default
  kFluid,   // exact max-min sharing
  kPacket,  // packets, finite buffers, credits
};

// "fifo", "fluid", "packet".
absl::StatusOr<EngineKind> ParseEngine(absl::string_view name);
absl::string_view EngineName(EngineKind kind);

// What a message asks of the wires.
struct Passage {
  uint32_t id = 0;     // of the message; comes back
  int64_t bytes = 0;   // on the wire
  int64_t rate = 0;    // bytes/s that it can reach at most; 0: no limit of its own
  uint64_t order = 0;  // among messages at one instant
  uint32_t turn = 0;   // among those of its source that wait at one first port
  bool notify_head = false;
};

// Who owns the messages.
class Arrivals {
 public:
  virtual void Sent(uint32_t id) = 0;       // now: the last byte has left the first port
  virtual void Head(uint32_t id) = 0;       // now: the first byte has reached the end of the path
  virtual void Delivered(uint32_t id) = 0;  // now: the last byte has

 protected:
  ~Arrivals() = default;
};

class Wires {
 public:
  // `step` values of queue entries below kFirstStep belong to the owner, the rest to the wires.
  static constexpr uint8_t kFirstStep = 16;

  virtual ~Wires() = default;
  virtual absl::string_view name() const = 0;
  // The message's head is at its first port now. A path has at least one port.
  virtual void Enter(const Passage& passage, const Path& path) = 0;
  virtual void Handle(const Entry& entry) = 0;
  // The entry will be handled soon, and its memory may come into the cache: said twice, what the
  // first time has brought says where the second is.
  virtual void Soon(const Entry& /*entry*/, bool /*again*/) const {}
  // From now on the port serves `rate` bytes/s, at most what the network says of it; 0: it is down,
  // and what comes there waits. What has passed stays passed; the byte that is passing is the first
  // that the new rate holds for. Of wires that were made with `rates_change`.
  virtual void SetRate(uint32_t port, int64_t rate) = 0;
  // Null: nobody.
  void Watch(Observer* observer) { observer_ = observer; }

  // Whether messages wait at the port.
  virtual bool Holds(uint32_t port) const = 0;

  // All four outlive the wires.
  static std::unique_ptr<Wires> Create(EngineKind kind, const Network& network,
                                       const Description& description, bool rates_change,
                                       Queue& queue, Arrivals& arrivals);

 protected:
  Observer* observer_ = nullptr;
};

}  // namespace fabric

#endif  // FABRIC_WIRES_H_
