#include "transports/mpi/peers.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ccl::mpi {
namespace {

constexpr int64_t kBetweenLooks = 100'000'000;  // ns

// When a process started, in the system's ticks; 0 if there is none or it is only waiting to be buried.
// Called while operations are under way: allocates nothing.
int64_t StartOf(int64_t id) {
  char path[32], text[1024];
  std::snprintf(path, sizeof path, "/proc/%lld/stat", static_cast<long long>(id));
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t bytes = read(file, text, sizeof text - 1);
  close(file);
  if (bytes <= 0) return 0;
  text[bytes] = '\0';
  // "ID (NAME) STATE ..." where the name may hold anything; the start is the 22nd field.
  const char* field = std::strrchr(text, ')');
  if (field == nullptr || field[1] != ' ' || field[2] == 'Z' || field[2] == 'X') return 0;
  for (int i = 2; field != nullptr && i < 22; ++i) field = std::strchr(field + 1, ' ');
  return field == nullptr ? 0 : std::strtoll(field, nullptr, 10);
}

}  // namespace

Process ThisProcess() { return {getpid(), StartOf(getpid())}; }

void Peers::Watch(absl::Span<const Process> processes, absl::Span<const bool> here, int self) {
  for (size_t i = 0; i < processes.size(); ++i) {
    if (!here[i] || static_cast<int>(i) == self || processes[i].started == 0) continue;
    if (StartOf(processes[i].id) != processes[i].started) continue;
    watched_.push_back({static_cast<int>(i), processes[i]});
  }
}

int Peers::FirstDead() {
  const int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  if (now - looked_ns_ < kBetweenLooks) return -1;
  looked_ns_ = now;
  for (const Watched& peer : watched_) {
    if (StartOf(peer.process.id) != peer.process.started) return peer.rank;
  }
  return -1;
}

int64_t Peers::IdOf(int rank) const {
  for (const Watched& peer : watched_) {
    if (peer.rank == rank) return peer.process.id;
  }
  return 0;
}

}  // namespace ccl::mpi
