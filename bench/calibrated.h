// Whether a result lies within the measurements that the figures of its fabric were fitted to.
#ifndef BENCH_CALIBRATED_H_
#define BENCH_CALIBRATED_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "fabric/description.h"

namespace ccl {

class Calibrated {
 public:
  // Of the fabric of an emulated backend's URL, with so many ranks. Results of other backends are
  // measured, and those of fabrics that were fitted to nothing make no claim: neither is outside.
  static Calibrated Of(absl::string_view url, int ranks);

  // Why a result for buffers of so many bytes is EXTRAPOLATED; empty: it is not.
  std::string Outside(uint64_t bytes) const;

 private:
  fabric::Description description_;
};

}  // namespace ccl

#endif  // BENCH_CALIBRATED_H_
