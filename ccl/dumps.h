#ifndef CCL_DUMPS_H_
#define CCL_DUMPS_H_

#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ccl/base/types.h"
#include "ccl/exec/engine.h"

namespace ccl {

class Communicator;

// Communicators of one world that write their flight record into a folder when an operation fails or
// takes too long, once each, and whenever the process gets a signal. Thread-safe.
class FlightDumps {
 public:
  explicit FlightDumps(Engine& engine);
  ~FlightDumps();
  FlightDumps(const FlightDumps&) = delete;
  FlightDumps& operator=(const FlightDumps&) = delete;

  // `signal` 0: none. The file is FOLDER/flight-HOST-PROCESS-rRANK-N.json.
  void Add(Communicator* communicator, absl::string_view folder, int signal);
  // Returns when nothing is being written of it.
  void Remove(Communicator* communicator);
  // Writes those that ask for the signal. Not from its handler.
  void Signalled(int signal);

 private:
  struct Entry {
    Communicator* communicator;
    std::string path;
    int signal;
    bool failed;  // and has been written
  };
  void Failed(Time now, const absl::Status& world);

  Engine& engine_;
  std::mutex mutex_;  // after the engine's
  std::vector<Entry> entries_;
};

// OK, or why the text cannot be written.
absl::Status WriteFile(const std::string& path, absl::string_view text);
}  // namespace ccl

#endif  // CCL_DUMPS_H_
