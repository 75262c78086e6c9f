// With the check on and off, the same operations are the same events at the same times.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/communicator.h"
#include "gtest/gtest.h"

namespace ccl {
namespace {

struct Result {
  Time time = 0;
  uint64_t digest = 0;
  std::vector<float> bits;
  bool checked = false;
};

Result Play(const char* backend, int ranks, int check) {
  Options options;
  options.backend = absl::StrCat(backend, ranks);
  options.check = check;
  auto world = World::Open(options, ranks);
  EXPECT_TRUE(world.ok()) << world.status();
  std::vector<std::unique_ptr<Communicator>> comms;
  std::vector<Stream*> streams;
  for (int r = 0; r < ranks; ++r) {
    comms.push_back(*Communicator::Create(*world, r));
    streams.push_back(comms.back()->stream());
  }
  const size_t n = static_cast<size_t>(ranks);
  std::vector<std::vector<float>> in(n, std::vector<float>(256 * n)), out = in;
  for (size_t r = 0; r < n; ++r) {
    for (size_t i = 0; i < in[r].size(); ++i) in[r][i] = static_cast<float>(r + 1) / static_cast<float>(i + 3);
  }
  for (Collective c : {Collective::kAllReduce, Collective::kAllToAll, Collective::kBroadcast,
                       Collective::kReduceScatter, Collective::kBarrier}) {
    for (size_t r = 0; r < n; ++r) {
      Request request{c, DataType::kFloat32, ReduceOp::kSum, 200, 1, in[r].data(), out[r].data()};
      const absl::Status status = comms[r]->Run(request);
      EXPECT_TRUE(status.ok()) << status;
    }
    const absl::Status status = (*world)->engine().Wait(streams);
    EXPECT_TRUE(status.ok()) << status;
  }
  Result result{(*world)->engine().Now(), (*world)->engine().Digest(), {}, comms[0]->team()->checks()};
  for (const std::vector<float>& part : out) result.bits.insert(result.bits.end(), part.begin(), part.end());
  return result;
}

TEST(CheckEvents, AreThoseOfAWorldWithoutChecks) {
  for (const char* backend : {"emulated:cloudmatrix384?ranks=", "emulated:crossbar?engine=fluid&ranks="}) {
    for (int ranks : {3, 8}) {
      const Result on = Play(backend, ranks, 1), off = Play(backend, ranks, 0);
      EXPECT_TRUE(on.checked && !off.checked);
      EXPECT_GT(on.time, 0);
      EXPECT_EQ(on.time, off.time) << backend << " " << ranks;
      EXPECT_EQ(on.digest, off.digest) << backend << " " << ranks;
      EXPECT_EQ(on.bits, off.bits) << backend << " " << ranks;
    }
  }
}

}  // namespace
}  // namespace ccl
