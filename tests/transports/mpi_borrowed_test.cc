// A program that starts MPI itself and lends a communicator. Run by mpirun on an even number of
// ranks.
#include <mpi.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/backend.h"
#include "gtest/gtest.h"
#include "tests/transports/contract.h"

namespace ccl {
namespace {

TEST(BorrowedMpi, UsesTheCommunicatorItIsGiven) {
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &half);  // in reverse
  const std::string url = absl::StrCat("mpi:?comm=", MPI_Comm_c2f(half));
  {
    absl::StatusOr<std::unique_ptr<Backend>> backend = OpenBackend(url, ranks / 2);
    ASSERT_TRUE(backend.ok()) << backend.status();
    Job job(*std::move(backend));
    const int local = job.backend().local_ranks()[0];
    EXPECT_EQ(local, (ranks - 1 - rank) / 2);

    // A message of the lender's on its own communicator is not ours to take.
    int lent = rank, received = -1;
    MPI_Request request;
    MPI_Isend(&lent, 1, MPI_INT, job.Next(local), 0, half, &request);
    Bytes out = Pattern(rank, 0, 4), in(4);
    Message recv(OperationKind::kRecv, job.Previous(local), in, 1);
    Message send(OperationKind::kSend, job.Next(local), out, 2);
    job.Post(local, {recv.op, send.op});
    const absl::Status status = job.Finish();
    EXPECT_TRUE(status.ok()) << status;
    int previous_rank = -1;
    MPI_Recv(&received, 1, MPI_INT, job.Previous(local), 0, half, MPI_STATUS_IGNORE);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    previous_rank = received;
    EXPECT_EQ(in, Pattern(previous_rank, 0, 4));
  }
  MPI_Comm_free(&half);
}

TEST(BorrowedMpi, RefusesWhatNamesNoCommunicator) {
  for (const char* url : {"mpi:?comm=99999", "mpi:?comm=x", "mpi:?com=1", "mpi:comm"}) {
    EXPECT_EQ(OpenBackend(url, 0).status().code(), absl::StatusCode::kInvalidArgument) << url;
  }
}

TEST(BorrowedMpi, TagsBeyondTheBoundAreAnErrorThatNamesIt) {
  absl::StatusOr<std::unique_ptr<Backend>> backend = OpenBackend("mpi:", 0);
  ASSERT_TRUE(backend.ok()) << backend.status();
  Job job(*std::move(backend));
  const int local = job.backend().local_ranks()[0];
  Bytes bytes(4);
  Message send(OperationKind::kSend, local, bytes, 1);
  send.op.context = UINT32_MAX;
  job.Post(local, send.op);
  const absl::Status status = job.Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("MPI_TAG_UB"), absl::string_view::npos) << status;
}

TEST(BorrowedMpi, GroupOperationsThroughMpiAreUnimplemented) {
  absl::StatusOr<std::unique_ptr<Backend>> backend = OpenBackend("mpi:?shm=no", 0);
  ASSERT_TRUE(backend.ok()) << backend.status();
  Job job(*std::move(backend));
  Operation reduce;
  reduce.kind = OperationKind::kGroupReduce;
  job.Post(job.backend().local_ranks()[0], reduce);
  EXPECT_EQ(job.Finish().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace ccl

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  // Ours to end: the backends have left MPI running.
  MPI_Finalize();
  return result;
}
