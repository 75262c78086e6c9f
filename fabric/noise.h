// Random times by draws from a seed: jitter, retries of links, reconfigurations of circuits.
//
// Link-level retry: a frame of f bytes has an error on one fibre with p = 1 - (1 - bit error rate)^(8 f)
// and is sent again until it has none. What is sent again takes of the fibre's rate: (1 - p) of it is
// left, always (Description::Goodput). And it is late: the n frames of a message, over all k fibres of
// one tier, are through after R rounds of retries with the probability (1 - p^(R+1))^(n k). R is drawn
// for each message and tier on its way; the message is later by R times the tier's retry_latency, as
// retries of different frames pass at the same time.
#ifndef FABRIC_NOISE_H_
#define FABRIC_NOISE_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "fabric/description.h"

namespace fabric {

// A time of the distribution with this scale; `bits` are uniform. Integer arithmetic, the same on
// every machine.
Time Drawn(Draw draw, Time scale, uint64_t bits);

// Rounds of retries until all of `frames` frames are through, when each fails with `p` in each.
int RetryRounds(double p, double frames, uint64_t bits);

class Noisy {
 public:
  explicit Noisy(const Description& description);

  // Whether anything is drawn for messages.
  bool any() const { return any_; }
  struct Delays {
    Time start = 0;  // before the first byte
    Time late = 0;   // between the last byte and the delivery
  };
  // Of the next message from src to dst, of so many bytes on the wire.
  Delays Next(int src, int dst, int64_t bytes);
  // What the k-th reconfiguration that ends at endpoint `dst` takes longer.
  Time Reconfiguration(int tier, int dst, uint32_t k) const;

 private:
  Time Retries(int src, int dst, int64_t bytes, uint64_t bits) const;

  const Description& description_;
  bool any_ = false;
  std::vector<double> frame_error_;  // by tier
  absl::flat_hash_map<uint64_t, uint32_t> sent_;  // messages of a pair so far
};

}  // namespace fabric

#endif  // FABRIC_NOISE_H_
