#include "bench/versus_target.h"

#include <iterator>

namespace ccl {
namespace {

constexpr uint64_t KiB = 1024, MiB = 1024 * KiB;

// Of allreduce. A size between two columns has the target of the one below.
constexpr uint64_t kSizes[] = {8, KiB, 8 * KiB, 64 * KiB, 256 * KiB, MiB, 16 * MiB, 64 * MiB};
constexpr double kFar2[] = {2, 2, 3, 5, 4, 2.8, 1.5, 2.6};
constexpr double kCache2[] = {2, 2, 3, 3, 3.5, 2.5, 1.5, 2.5};
constexpr double kFour[] = {1.8, 3, 4.7, 4.9, 3.5, 2.7, 1.6, 2.5};
constexpr double kEight[] = {2.2, 5.5, 9.5, 7, 4, 2.2, 1.8, 2.6};

// Against the tuned MPI.
constexpr uint64_t kTunedSizes[] = {8, KiB, 16 * KiB, 64 * KiB, MiB};
constexpr double kTunedFar2[] = {1.8, 2.2, 2, 4, 2};
constexpr double kTunedCache2[] = {1.8, 2.2, 2, 1.5, 2};
constexpr double kTunedFour[] = {1.8, 2.2, 2, 1.8, 1.5};
constexpr uint64_t kTunedSizes8[] = {8, KiB, 64 * KiB, MiB};
constexpr double kTunedEight[] = {1.6, 1.7, 2.5, 1.8};

template <size_t N>
double At(const uint64_t (&sizes)[N], const double (&targets)[N], uint64_t bytes) {
  size_t i = 0;
  while (i + 1 < N && sizes[i + 1] <= bytes) ++i;
  return targets[i];
}

}  // namespace

Regime RegimeOf(double ping_pong_ns) {
  if (ping_pong_ns <= 0) return Regime::kUnknown;
  if (ping_pong_ns < 36) return Regime::kOneCore;
  return ping_pong_ns <= 120 ? Regime::kOneCache : Regime::kFar;
}

absl::string_view Name(Regime regime) {
  switch (regime) {
    case Regime::kUnknown:
      return "cores unknown";
    case Regime::kOneCore:
      return "threads of one core";
    case Regime::kOneCache:
      return "cores sharing a cache";
    case Regime::kFar:
      return "cores far apart";
  }
  return "";
}

double VersusTarget(Collective collective, int ranks, uint64_t bytes, Regime regime, bool tuned) {
  if (regime == Regime::kOneCore && ranks == 2) return 0;  // reported only
  const bool far = regime == Regime::kFar;
  switch (collective) {
    case Collective::kAllReduce:
      if (tuned) {
        if (ranks == 2) return far ? At(kTunedSizes, kTunedFar2, bytes) : At(kTunedSizes, kTunedCache2, bytes);
        if (ranks == 4) return At(kTunedSizes, kTunedFour, bytes);
        return ranks == 8 ? At(kTunedSizes8, kTunedEight, bytes) : 0;
      }
      if (ranks == 2) return far ? At(kSizes, kFar2, bytes) : At(kSizes, kCache2, bytes);
      if (ranks == 4) return At(kSizes, kFour, bytes);
      return ranks == 8 ? At(kSizes, kEight, bytes) : 0;
    case Collective::kReduceScatter:
      if (tuned || (ranks != 2 && ranks != 4)) return 0;
      return bytes <= 8 * KiB ? 2 : bytes >= 64 * KiB ? 3 : 0;
    case Collective::kAllGather:
      if (tuned) return 0;
      if (ranks == 8) return bytes <= MiB ? 3 : 0;
      if (ranks != 2 && ranks != 4) return 0;
      return bytes <= 8 * KiB ? 1.8 : bytes <= 64 * KiB ? 2.4 : 1.3;
    case Collective::kBroadcast:
      if (tuned || (ranks != 2 && ranks != 4)) return 0;
      return bytes >= MiB ? 2 : 1.5;
    case Collective::kAllToAll:
      if (tuned || (ranks != 2 && ranks != 4)) return 0;
      return bytes <= 64 * KiB ? 1.5 : 1;
    default:
      return 0;
  }
}

}  // namespace ccl
