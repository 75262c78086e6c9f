#ifndef CCL_SIGNALS_H_
#define CCL_SIGNALS_H_

#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace ccl {

class FlightDumps;

// Signals of the process that ask for flight records. While somebody wants one, its handler is the
// library's, which only writes the number to a pipe; a thread reads it there and has the records
// written. Afterwards the handler is the program's again. Thread-safe.
class Signals {
 public:
  static Signals& OfProcess();

  // As often added as removed. Where a process has no descriptors to spare the signal stays the program's,
  // until somebody asks for it when there are some.
  void Add(int signal, FlightDumps* dumps);
  // Returns when nothing is being written.
  void Remove(int signal, FlightDumps* dumps);

 private:
  Signals() = default;
  bool StartReader();
  void Read();

  std::mutex changing_;  // Add and Remove, one after the other
  std::mutex mutex_;     // what the thread reads
  std::map<int, std::vector<FlightDumps*>> wanted_;  // by signal
  std::set<int> handled_;  // whose handler is ours
  std::thread reader_;
};

}  // namespace ccl

#endif  // CCL_SIGNALS_H_
