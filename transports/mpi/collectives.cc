#include "transports/mpi/collectives.h"

#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "transports/mpi/error.h"
#include "transports/mpi/module.h"
#include "transports/mpi/session.h"

namespace ccl::mpi {
namespace {

int Rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int Ranks() {
  int ranks = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  return ranks;
}

std::string Library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  return std::string(text, static_cast<size_t>(length));
}

absl::Status Run(const Call& call) {
  const int count = static_cast<int>(call.count);
  const MPI_Comm world = MPI_COMM_WORLD;
  int code = MPI_SUCCESS;
  switch (call.collective) {
    case Collective::kAllReduce:
      code = MPI_Allreduce(call.in, call.out, count, MPI_FLOAT, MPI_SUM, world);
      break;
    case Collective::kReduce:
      code = MPI_Reduce(call.in, call.out, count, MPI_FLOAT, MPI_SUM, call.root, world);
      break;
    case Collective::kReduceScatter:
      if (call.other) {
        const std::vector<int> counts(static_cast<size_t>(Ranks()), count);
        code = MPI_Reduce_scatter(call.in, call.out, counts.data(), MPI_FLOAT, MPI_SUM, world);
      } else {
        code = MPI_Reduce_scatter_block(call.in, call.out, count, MPI_FLOAT, MPI_SUM, world);
      }
      break;
    case Collective::kAllGather:
      code = MPI_Allgather(call.in, count, MPI_FLOAT, call.out, count, MPI_FLOAT, world);
      break;
    case Collective::kAllToAll:
      code = MPI_Alltoall(call.in, count, MPI_FLOAT, call.out, count, MPI_FLOAT, world);
      break;
    case Collective::kBroadcast: {
      // MPI has one buffer for both.
      const bool root = Rank() == call.root;
      code = MPI_Bcast(root ? const_cast<void*>(call.in) : call.out, count, MPI_FLOAT, call.root, world);
      break;
    }
    case Collective::kGather:
      code = MPI_Gather(call.in, count, MPI_FLOAT, call.out, count, MPI_FLOAT, call.root, world);
      break;
    case Collective::kScatter:
      code = MPI_Scatter(call.in, count, MPI_FLOAT, call.out, count, MPI_FLOAT, call.root, world);
      break;
    case Collective::kBarrier:
      code = MPI_Barrier(world);
      break;
    default:
      return absl::UnimplementedError(absl::StrCat("no comparison with MPI of ", Name(call.collective)));
  }
  return code == MPI_SUCCESS ? absl::OkStatus() : ToStatus(code, Rank(), Name(call.collective));
}

void Barrier() { MPI_Barrier(MPI_COMM_WORLD); }

void Most(absl::Span<double> values) {
  MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, MPI_MAX,
                MPI_COMM_WORLD);
}

void SleepingBarrier() {
  MPI_Request said = MPI_REQUEST_NULL;
  MPI_Ibarrier(MPI_COMM_WORLD, &said);
  for (int done = 0; MPI_Test(&said, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Rank 0 writes odd numbers, rank 1 the even one that follows.
double PingPong(std::atomic<uint64_t>& line, bool first) {
  constexpr int kRounds = 15;
  constexpr uint64_t kTurns = 200;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  std::vector<double> rounds;
  uint64_t turn = first ? 0 : 1;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (uint64_t i = 0; i < kTurns; ++i, turn += 2) {
      for (uint64_t spins = 0; line.load(std::memory_order_acquire) != turn; ++spins) {
        if (spins % 1024 != 1023) continue;
        sched_yield();
        if (std::chrono::steady_clock::now() > limit) return 0;
      }
      line.store(turn + 1, std::memory_order_release);
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    rounds.push_back(taken.count() / (2 * kTurns));
  }
  std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
  return rounds[kRounds / 2];
}

absl::StatusOr<double> PingPongNs() {
  MPI_Comm host = MPI_COMM_NULL;
  CCL_RETURN_IF_ERROR(ToStatus(
      MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host), Rank(),
      "MPI_Comm_split_type"));
  int rank = 0, ranks = 1;
  MPI_Comm_rank(host, &rank);
  MPI_Comm_size(host, &ranks);
  double result = 0;
  if (ranks > 1) {
    constexpr MPI_Aint kBytes = 256;
    void* base = nullptr;
    MPI_Win window = MPI_WIN_NULL;
    const int code = MPI_Win_allocate_shared(rank == 0 ? kBytes : 0, 1, MPI_INFO_NULL, host, &base, &window);
    if (code == MPI_SUCCESS) {
      MPI_Aint bytes = 0;
      int unit = 0;
      MPI_Win_shared_query(window, 0, &bytes, &unit, &base);
      size_t space = kBytes;
      std::align(64, 64, base, space);
      auto& line = *static_cast<std::atomic<uint64_t>*>(base);
      if (rank == 0) line.store(0);
      MPI_Barrier(host);
      if (rank < 2) result = PingPong(line, rank == 0);
      MPI_Barrier(host);
      MPI_Win_free(&window);
    }
  }
  MPI_Comm_free(&host);
  MPI_Bcast(&result, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return result;
}

}  // namespace

const Collectives kCollectives = {Start, Rank, Ranks, Library, Run, Barrier, Most, SleepingBarrier, PingPongNs};

}  // namespace ccl::mpi
