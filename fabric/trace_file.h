// A file of what happened when, in the trace event format that chrome://tracing and ui.perfetto.dev
// read: a process for every endpoint with a thread for each of its ports and links and for its engine,
// and a process for the uplinks of every tier with a thread for each. Times are in microseconds of
// virtual time with six digits behind the point: picoseconds.
#ifndef FABRIC_TRACE_FILE_H_
#define FABRIC_TRACE_FILE_H_

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fabric/description.h"
#include "fabric/network.h"
#include "fabric/units.h"

namespace fabric {

// Not thread-safe. Description and network outlive it.
class TraceFile {
 public:
  // What a file holds at most, 200 MB of it: the rest is left out, and Close says so.
  static constexpr int64_t kMaxSlices = 2'000'000;

  static absl::StatusOr<std::unique_ptr<TraceFile>> Create(const std::string& path,
                                                          const Description& description,
                                                          const Network& network);
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  // src or dst is -1 where switches combine or replicate.
  void Passed(uint32_t port, int src, int dst, int64_t bytes, Time begin, Time end);
  void Worked(int endpoint, int64_t bytes, Time begin, Time end);
  // Without it the file is as whole as the program's end left it.
  absl::Status Close();

 private:
  // Where a port is shown. Slices of one thread must not overlap: those of messages that share a
  // port get further threads.
  struct Track {
    int process = 0;
    std::vector<Time> busy;   // until when, of each thread
    std::vector<int> threads;
  };

  TraceFile(std::string path, std::FILE* file, const Description& description,
           const Network& network);
  bool Full();
  void Slice(Track& track, const std::string& thread, const std::string& name, int64_t bytes,
             Time begin, Time end);
  int ProcessOf(uint32_t port);
  void NameProcess(int process, absl::string_view name);

  const std::string path_;
  std::FILE* file_;
  const Description& description_;
  const Network& network_;
  std::map<uint32_t, Track> ports_;
  std::map<int, Track> engines_;
  std::map<int, bool> processes_;
  int threads_ = 0;
  int64_t slices_ = 0, left_out_ = 0;
};

}  // namespace fabric

#endif  // FABRIC_TRACE_FILE_H_
