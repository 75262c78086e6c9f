#include "fabric/noise.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "fabric/mix.h"

namespace fabric {
namespace {

using Wide = unsigned __int128;

// -ln(u) of u = bits / 2^64, in units of 2^-32.
uint64_t MinusLog(uint64_t bits) {
  bits = std::max<uint64_t>(bits, 1);
  const int shift = std::countl_zero(bits);
  uint64_t mantissa = bits << shift, fraction = 0;  // mantissa / 2^63 is in [1, 2)
  for (int i = 0; i < 32; ++i) {  // a digit of its binary logarithm with each square
    const Wide square = static_cast<Wide>(mantissa) * mantissa >> 63;
    const bool two = (square >> 64) != 0;
    mantissa = static_cast<uint64_t>(two ? square >> 1 : square);
    fraction = fraction << 1 | (two ? 1 : 0);
  }
  constexpr uint64_t kLogOfTwo = 2977044472;  // in units of 2^-32
  const uint64_t log = (static_cast<uint64_t>(shift + 1) << 32) - fraction;
  return static_cast<uint64_t>(static_cast<Wide>(log) * kLogOfTwo >> 32);
}

uint64_t PairKey(int src, int dst) {
  return static_cast<uint64_t>(src) << 32 | static_cast<uint32_t>(dst);
}

}  // namespace

Time Drawn(Draw draw, Time scale, uint64_t bits) {
  switch (draw) {
    case Draw::kNone:
      return 0;
    case Draw::kUniform:
      return static_cast<Time>(static_cast<Wide>(scale) * bits >> 64);
    case Draw::kExponential:
      return static_cast<Time>(static_cast<Wide>(scale) * MinusLog(bits) >> 32);
    case Draw::kNormal: {
      int64_t sum = -(int64_t{6} << 32);
      for (uint64_t i = 0; i < 6; ++i) {
        const uint64_t two = Mix(bits + i);
        sum += static_cast<int64_t>(two >> 32) + static_cast<int64_t>(two & 0xffffffffu);
      }
      return sum <= 0 ? 0 : static_cast<Time>(static_cast<Wide>(scale) * static_cast<uint64_t>(sum) >> 32);
    }
  }
  return 0;
}

int RetryRounds(double p, double frames, uint64_t bits) {
  const double u = static_cast<double>(bits >> 11) * 0x1p-53;
  double fails = p;  // that one frame has not passed after so many rounds
  int rounds = 0;
  while (rounds < 1000 && std::exp(frames * std::log1p(-fails)) <= u) ++rounds, fails *= p;
  return rounds;
}

Noisy::Noisy(const Description& description) : description_(description) {
  const Noise& noise = description.noise;
  any_ = noise.distribution != Draw::kNone && noise.latency + noise.send_overhead > 0;
  for (int i = 0; i < static_cast<int>(description.tiers.size()); ++i) {
    frame_error_.push_back(1 - description.Goodput(i));
    any_ = any_ || frame_error_.back() > 0;
  }
}

Time Noisy::Retries(int src, int dst, int64_t bytes, uint64_t bits) const {
  const Description& d = description_;
  const int turn = d.MeetingTier(src, dst);
  const double frames = static_cast<double>(std::max<int64_t>(1, (bytes + d.frame_bytes - 1) / d.frame_bytes));
  Time late = 0;
  for (int tier = d.EntryTier(turn); tier <= turn; ++tier) {
    if (frame_error_[tier] == 0) continue;
    int fibres = 2;
    if (d.tiers[tier].kind == TierKind::kMesh) fibres = 1;
    if (d.tiers[tier].kind == TierKind::kTorus) fibres = std::max(1, d.TorusDistance(tier, src, dst));
    late += RetryRounds(frame_error_[tier], frames * fibres, Mix(bits + static_cast<uint64_t>(tier))) *
            d.tiers[tier].retry_latency;
  }
  return late;
}

Noisy::Delays Noisy::Next(int src, int dst, int64_t bytes) {
  const Noise& noise = description_.noise;
  const uint64_t pair = PairKey(src, dst);
  const uint64_t bits = Mix(Mix(Mix(noise.seed) ^ pair) + sent_[pair]++);
  return {.start = Drawn(noise.distribution, noise.send_overhead, Mix(bits ^ 1)),
          .late = Drawn(noise.distribution, noise.latency, Mix(bits ^ 2)) +
                  Retries(src, dst, bytes, Mix(bits ^ 3))};
}

Time Noisy::Reconfiguration(int tier, int dst, uint32_t k) const {
  const Tier& t = description_.tiers[tier];
  const uint64_t bits = Mix(Mix(Mix(description_.noise.seed + 1) ^ static_cast<uint64_t>(dst)) + k);
  return Drawn(t.reconfiguration_draw, t.reconfiguration_jitter, bits);
}

}  // namespace fabric
