#include "transports/mpi/peers.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace ccl::mpi {
namespace {

constexpr int64_t kBetweenLooks = 100'000'000;  // ns

// When a process started, in the system's ticks; 0 if there is none or it is only waiting to be buried.
int64_t StartOf(int64_t id) {
  std::ifstream file(absl::StrCat("/proc/", id, "/stat"));
  std::string text;
  if (!std::getline(file, text)) return 0;
  // "ID (NAME) STATE ..." where the name may hold anything; the start is the 22nd field.
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream fields(text.substr(end + 1));
  std::string state, skipped;
  int64_t started = 0;
  fields >> state;
  for (int i = 4; i < 22; ++i) fields >> skipped;
  fields >> started;
  return state == "Z" || state == "X" ? 0 : started;
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
