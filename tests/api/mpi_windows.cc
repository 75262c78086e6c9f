// Windows of MPI ranks. Run by mpirun; the argument says how.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ccl/ccl.h"
#include "tests/api/check.h"

namespace {

void Wait(cclComm_t comm, int peer, int count, int index) {
  const cclWaitSignalDesc_t wish = {count, peer, index, 0};
  CHECK_CCL(cclWaitSignal(1, &wish, comm, nullptr));
}

// Every rank to every rank, itself included, of sizes that travel in the head and that do not.
void Exchange(cclComm_t comm, int n, int rank, size_t bytes) {
  const size_t count = static_cast<size_t>(n);
  std::vector<char> memory(bytes * count), data(bytes, static_cast<char>('a' + rank));
  cclWindow_t window = nullptr;
  if (rank == 1) usleep(20000);  // its peers do not wait to put
  CHECK_CCL(cclCommWindowRegister(comm, memory.data(), memory.size(), &window, CCL_WIN_COLL_SYMMETRIC));
  for (int round = 0; round < 3; ++round) {
    std::vector<cclWaitSignalDesc_t> wishes;
    CHECK_CCL(cclGroupStart());
    for (int peer = 0; peer < n; ++peer) {
      CHECK_CCL(cclPutSignal(data.data(), bytes, cclChar, peer, window, bytes * static_cast<size_t>(rank), 5, 0,
                             0, comm, nullptr));
      wishes.push_back({1, peer, 5, 0});
    }
    CHECK_CCL(cclWaitSignal(n, wishes.data(), comm, nullptr));
    CHECK_CCL(cclGroupEnd());
    CHECK_CCL(cclCommSynchronize(comm));
    for (size_t i = 0; i < memory.size(); ++i) CHECK_THAT(memory[i] == static_cast<char>('a' + i / bytes));
    CHECK_CCL(cclBarrier(comm, nullptr));
    CHECK_CCL(cclCommSynchronize(comm));
    std::memset(memory.data(), 0, memory.size());
    CHECK_CCL(cclBarrier(comm, nullptr));
    CHECK_CCL(cclCommSynchronize(comm));
  }
  CHECK_CCL(cclCommWindowDeregister(comm, window));
}

// The target calls nothing: what is put is there all the same.
void Passive(cclComm_t comm, int n, int rank) {
  volatile char memory[64] = {};
  cclWindow_t window = nullptr;
  CHECK_CCL(cclCommWindowRegister(comm, const_cast<char*>(memory), 64, &window, 0));
  CHECK_CCL(cclBarrier(comm, nullptr));
  CHECK_CCL(cclCommSynchronize(comm));
  if (rank == n - 1 && n > 1) {
    const char data = 'x';
    CHECK_CCL(cclPutSignal(&data, 1, cclChar, 0, window, 63, 0, 0, 0, comm, nullptr));
    CHECK_CCL(cclCommSynchronize(comm));
  }
  if (rank == 0 && n > 1) {
    const auto begin = std::chrono::steady_clock::now();
    while (memory[63] != 'x' && std::chrono::steady_clock::now() - begin < std::chrono::seconds(10)) usleep(1000);
    CHECK_THAT(memory[63] == 'x');
    Wait(comm, n - 1, 1, 0);
    CHECK_CCL(cclCommSynchronize(comm));
  }
  // Signals without bytes; two windows at once, closed in the order in which they were opened.
  char more[8] = {};
  cclWindow_t second = nullptr;
  CHECK_CCL(cclCommWindowRegister(comm, more, 8, &second, 0));
  for (int i = 0; i < 5; ++i) CHECK_CCL(cclSignal((rank + 1) % n, 1, 0, 0, comm, nullptr));
  Wait(comm, (rank + n - 1) % n, 5, 1);
  CHECK_CCL(cclPutSignal("abcdefgh", 8, cclChar, (rank + 1) % n, second, 0, 0, 0, 0, comm, nullptr));
  Wait(comm, (rank + n - 1) % n, 1, 0);
  CHECK_CCL(cclCommSynchronize(comm));
  CHECK_THAT(std::memcmp(more, "abcdefgh", 8) == 0);
  CHECK_CCL(cclCommWindowDeregister(comm, window));
  CHECK_CCL(cclPutSignal("ABCDEFGH", 8, cclChar, (rank + 1) % n, second, 0, 0, 0, 0, comm, nullptr));
  CHECK_CCL(cclCommWindowDeregister(comm, second));  // nobody has waited for a signal
  CHECK_THAT(std::memcmp(more, "ABCDEFGH", 8) == 0);
}

// Sizes that differ: both hear of it.
void Sizes(cclComm_t comm, int rank) {
  char memory[64];
  cclWindow_t window = nullptr;
  CHECK_CCL(cclCommWindowRegister(comm, memory, rank == 1 ? 32 : 64, &window, 0));
  cclResult_t error = cclSuccess;
  for (int i = 0; i < 5000 && error == cclSuccess; ++i) {
    CHECK_CCL(cclCommGetAsyncError(comm, &error));
    usleep(1000);
  }
  CHECK_THAT(error == cclInvalidUsage);
  CHECK_THAT(std::strstr(cclGetLastError(nullptr), "window 0 has ") != nullptr);
}

}  // namespace

int main(int, char** argv) {
  const std::string how = argv[1];
  const int n = ccl_test::Ranks(), rank = ccl_test::Rank();
  cclUniqueId id = {};
  cclComm_t comm = nullptr, half = nullptr;
  CHECK_CCL(cclCommInitRank(&comm, n, id, rank));
  if (how == "sizes") {
    Sizes(comm, rank);
    sleep(1);  // who ends before the others have had their error is another error to them
    std::_Exit(0);
  }
  for (size_t bytes : {size_t{1}, size_t{1000}, size_t{300000}}) Exchange(comm, n, rank, bytes);
  Passive(comm, n, rank);
  CHECK_CCL(cclCommSplit(comm, rank % 2, -rank, &half, nullptr));
  int size = 0, place = 0;
  CHECK_CCL(cclCommCount(half, &size));
  CHECK_CCL(cclCommUserRank(half, &place));
  Exchange(half, size, place, 100);
  Exchange(comm, n, rank, 10);
  // One that is destroyed with its windows leaves the others alone.
  char memory[8];
  cclWindow_t window = nullptr;
  CHECK_CCL(cclCommWindowRegister(half, memory, 8, &window, 0));
  CHECK_CCL(cclBarrier(comm, nullptr));
  CHECK_CCL(cclCommSynchronize(comm));
  CHECK_CCL(cclCommDestroy(half));
  Exchange(comm, n, rank, 1000);
  CHECK_CCL(cclCommDestroy(comm));
  return 0;
}
