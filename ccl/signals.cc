#include "ccl/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>

#include "ccl/dumps.h"

namespace ccl {
namespace {

int ends[2] = {-1, -1};             // of the pipe: read, write
std::atomic<int> write_end{-1};     // for the handler
struct sigaction programs[NSIG];    // what was there before

// Async-signal-safe. A full pipe holds enough.
void Handle(int signal) {
  const int error = errno;
  const unsigned char number = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t written = write(write_end.load(), &number, 1);
  errno = error;
}

}  // namespace

// Leaked: communicators may end as late as the process.
Signals& Signals::OfProcess() {
  static Signals* const signals = new Signals;
  return *signals;
}

void Signals::Add(int signal, FlightDumps* dumps) {
  std::lock_guard<std::mutex> changing(changing_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    wanted_[signal].push_back(dumps);
  }
  if (!StartReader() || !handled_.insert(signal).second) return;
  struct sigaction own = {};
  own.sa_handler = Handle;
  own.sa_flags = SA_RESTART;
  sigemptyset(&own.sa_mask);
  sigaction(signal, &own, &programs[signal]);
}

void Signals::Remove(int signal, FlightDumps* dumps) {
  std::lock_guard<std::mutex> changing(changing_);
  bool last = false, all = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<FlightDumps*>& list = wanted_[signal];
    list.erase(std::find(list.begin(), list.end(), dumps));
    last = list.empty();
    if (last) wanted_.erase(signal);
    all = wanted_.empty();
  }
  if (last && handled_.erase(signal) > 0) sigaction(signal, &programs[signal], nullptr);
  if (!all || !reader_.joinable()) return;
  const unsigned char stop = 0;
  while (write(ends[1], &stop, 1) < 0 && (errno == EINTR || errno == EAGAIN)) {
  }
  reader_.join();
  // A handler that has just begun in another thread may still write: the pipe stays open.
}

// False: no descriptors, no dumps by signal.
bool Signals::StartReader() {
  if (reader_.joinable()) return true;
  if (ends[0] < 0) {
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    write_end = ends[1];
  }
  reader_ = std::thread([this] { Read(); });
  return true;
}

void Signals::Read() {
  unsigned char number = 0;
  while (true) {
    const ssize_t got = read(ends[0], &number, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || number == 0) return;
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = wanted_.find(number);
    if (found == wanted_.end()) continue;
    const std::set<FlightDumps*> each(found->second.begin(), found->second.end());
    for (FlightDumps* dumps : each) dumps->Signalled(number);
  }
}

}  // namespace ccl
