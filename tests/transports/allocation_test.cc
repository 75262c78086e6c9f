// Transports between processes take no memory per message once they have seen the like. Run by mpirun, or
// by cclbench launch. Not linked to MPI; what MPI allocates itself does not come from operator new.
#include <memory>
#include <utility>
#include <vector>

#include "ccl/backend/backend.h"
#include "gtest/gtest.h"
#include "tests/count_allocations.h"

namespace ccl {
namespace {

class Ignore final : public Consumer {
 public:
  void Consume(uint64_t, uint64_t, absl::Span<const absl::Span<const ConstPiece>>) override {}
};

struct Way {
  const char* name;
  const char* url;
};
class Allocation : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, Allocation,
                         testing::Values(Way{"Mpi", "mpi:?shm=no"}, Way{"MpiShared", "mpi:"},
                                         Way{"Tcp", "tcp:?shm=no"}, Way{"TcpShared", "tcp:"}),
                         [](const auto& info) { return info.param.name; });

TEST_P(Allocation, NonePerMessageInSteadyState) {
  absl::StatusOr<std::unique_ptr<Backend>> opened = OpenBackend(GetParam().url, 0);
  ASSERT_TRUE(opened.ok()) << opened.status();
  Backend& backend = **opened;
  const int rank = backend.local_ranks()[0];
  constexpr size_t kSizes[] = {0, 8, 5000, 200000, 5 << 20};
  std::vector<char> from(5 << 20), to(5 << 20);
  std::vector<Completion> done;
  done.reserve(100);
  Ignore ignore;
  long before = 0;
  for (int round = 0; round < 20; ++round) {
    if (round == 10) before = allocations;
    for (size_t size : kSizes) {
      for (const bool reduce : {false, true}) {
        const ConstPiece src[] = {{from.data(), size / 3}, {from.data(), size - size / 3}};
        const Piece dst[] = {{to.data(), size / 2}, {to.data() + size / 2, size - size / 2}};
        Operation send, recv;
        send.kind = OperationKind::kSend;
        send.peer = (rank + 1) % backend.ranks();
        send.src = src;
        recv.kind = reduce ? OperationKind::kRecvReduce : OperationKind::kRecv;
        recv.peer = (rank + backend.ranks() - 1) % backend.ranks();
        if (!reduce) recv.dst = dst;
        recv.consumer = &ignore;
        send.bytes = recv.bytes = size;
        backend.Post(rank, {recv, send});
      }
    }
    size_t completed = 0;
    while (completed < 4 * std::size(kSizes)) {
      done.clear();
      const absl::Status status = backend.Poll(Waiting::kYes, done);
      ASSERT_TRUE(status.ok()) << status;
      completed += done.size();
    }
  }
  EXPECT_GT(before, 0);
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace ccl
