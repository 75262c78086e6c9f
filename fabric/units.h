// Quantities with mandatory units: "392 GB/s", "200 ns", "20 m".
#ifndef FABRIC_UNITS_H_
#define FABRIC_UNITS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fabric {

using Time = int64_t;  // picoseconds

inline constexpr Time kNanosecond = 1000;
inline constexpr Time kMicrosecond = 1000 * kNanosecond;
inline constexpr Time kSecond = 1'000'000 * kMicrosecond;

// What a description may ask of a delay: up to 100,000 s, so that sums do not overflow.
inline bool IsDelay(Time time) { return time >= 0 && time <= kSecond * 100'000; }

// ps, ns, us, ms, s.
absl::StatusOr<Time> ParseTime(absl::string_view text);
// Bytes per second: B/s, KB/s .. TB/s (powers of 1000), KiB/s .. TiB/s, and bits: Kb/s .. Tb/s.
absl::StatusOr<double> ParseBandwidth(absl::string_view text);
// B, KB .. TB (powers of 1000), KiB .. TiB; a whole number of bytes.
absl::StatusOr<int64_t> ParseBytes(absl::string_view text);
// Metres: m, cm, km.
absl::StatusOr<double> ParseLength(absl::string_view text);

// "20 us", "1.25 ms": in the largest unit of which there is one at least.
std::string TimeText(Time time);

// Longer than anything that can be simulated: 13 days. Eight of them do not overflow.
inline constexpr Time kLongest = Time{1} << 60;

// The time `bytes` take at `bytes_per_second`, rounded up to a picosecond; at most kLongest.
inline Time TransferTime(int64_t bytes, int64_t bytes_per_second) {
  constexpr int64_t kSmall = 1'000'000;  // kSmall * kSecond < kLongest, and with kSlow < 2^63
  constexpr int64_t kSlow = 200'000'000'000'000'000;
  if (bytes <= kSmall && bytes_per_second <= kSlow) {
    return (bytes * kSecond + bytes_per_second - 1) / bytes_per_second;
  }
  const __int128 work = static_cast<__int128>(bytes) * kSecond + bytes_per_second - 1;
  const __int128 time = work / bytes_per_second;
  return time < kLongest ? static_cast<Time>(time) : kLongest;
}

// The whole bytes that pass in `time`, which is not negative, at `bytes_per_second`; at most 2^62.
inline int64_t BytesIn(Time time, int64_t bytes_per_second) {
  const __int128 bytes = static_cast<__int128>(time) * bytes_per_second / kSecond;
  constexpr int64_t kMost = int64_t{1} << 62;
  return bytes < kMost ? static_cast<int64_t>(bytes) : kMost;
}

// x * part / whole, for 0 <= part <= whole and whole > 0.
inline int64_t Share(int64_t x, int64_t part, int64_t whole) {
  return static_cast<int64_t>(static_cast<__int128>(x) * part / whole);
}

}  // namespace fabric

#endif  // FABRIC_UNITS_H_
