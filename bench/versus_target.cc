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
// With buffers that ranks reach without a copy, where that is more.
constexpr double kFar2Reached[] = {2, 2, 3, 5, 4, 2.8, 2.3, 4.5};
constexpr double kCache2Reached[] = {2, 2, 3, 3, 3.5, 2.5, 2.3, 4.5};
constexpr double kFourReached[] = {1.8, 3, 4.7, 4.9, 3.5, 3.3, 3, 4.9};
constexpr double kEightReached[] = {2.2, 5.5, 9.5, 7, 4, 3.3, 4, 5.8};

// Against the tuned MPI.
constexpr uint64_t kTunedSizes[] = {8, KiB, 16 * KiB, 64 * KiB, MiB};
constexpr double kTunedFar2[] = {1.8, 2.2, 2, 4, 2};
constexpr double kTunedCache2[] = {1.8, 2.2, 2, 1.5, 2};
constexpr double kTunedFour[] = {1.8, 2.2, 2, 1.8, 1.5};
constexpr uint64_t kTunedSizes8[] = {8, KiB, 64 * KiB, MiB};
constexpr double kTunedEight[] = {1.6, 1.7, 2.5, 1.8};

// Against the others, of allreduce on one host.
constexpr uint64_t kMpichSizes[] = {8, KiB + 1};
constexpr double kMpich2[] = {5, 3};
constexpr uint64_t kGlooSizes[] = {8, 64 * KiB, MiB, 16 * MiB};
constexpr double kGloo[] = {100, 30, 7, 3};

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

namespace {

double OfAllReduce(int ranks, uint64_t bytes, bool far, Against against, bool reached) {
  switch (against) {
    case Against::kGloo:
      return At(kGlooSizes, kGloo, bytes);
    case Against::kMpich:
      return ranks == 2 ? At(kMpichSizes, kMpich2, bytes) : 0;
    case Against::kTuned:
      if (ranks == 2) return far ? At(kTunedSizes, kTunedFar2, bytes) : At(kTunedSizes, kTunedCache2, bytes);
      if (ranks == 4) return At(kTunedSizes, kTunedFour, bytes);
      return ranks == 8 ? At(kTunedSizes8, kTunedEight, bytes) : 0;
    case Against::kOpenMpi:
      break;
  }
  if (ranks == 2 && far) return At(kSizes, reached ? kFar2Reached : kFar2, bytes);
  if (ranks == 2) return At(kSizes, reached ? kCache2Reached : kCache2, bytes);
  if (ranks == 4) return At(kSizes, reached ? kFourReached : kFour, bytes);
  return ranks == 8 ? At(kSizes, reached ? kEightReached : kEight, bytes) : 0;
}

}  // namespace

double VersusTarget(Collective collective, int ranks, uint64_t bytes, Regime regime, Against against,
                    bool reached) {
  if (regime == Regime::kOneCore && ranks == 2) return 0;  // reported only
  if (collective == Collective::kAllReduce) {
    return OfAllReduce(ranks, bytes, regime == Regime::kFar, against, reached);
  }
  if (against != Against::kOpenMpi) return 0;
  if (collective == Collective::kAllGather && ranks == 8) return bytes <= MiB ? 3 : 0;
  if (ranks != 2 && ranks != 4) return 0;
  switch (collective) {
    case Collective::kReduceScatter:
      return bytes <= 8 * KiB ? 2 : bytes < 64 * KiB ? 0 : reached ? 5 : 3;
    case Collective::kAllGather:
      return bytes <= 8 * KiB ? 1.8 : bytes <= 64 * KiB ? 2.4 : reached ? 2 : 1.3;
    case Collective::kBroadcast:
      return bytes < MiB ? 1.5 : reached ? 3 : 2;
    case Collective::kAllToAll:
      return bytes <= 64 * KiB ? 1.5 : reached ? 2 : 1;
    default:
      return 0;
  }
}

}  // namespace ccl
