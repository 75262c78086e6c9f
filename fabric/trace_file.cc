#include "fabric/trace_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace fabric {
namespace {

// Names of tiers and switches come from files.
std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

std::string Microseconds(Time time) {
  return absl::StrFormat("%d.%06d", time / kMicrosecond, time % kMicrosecond);
}

std::string EndName(int endpoint) {
  return endpoint < 0 ? "switch" : absl::StrCat(endpoint);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TraceFile>> TraceFile::Create(const std::string& path,
                                                           const Description& description,
                                                           const Network& network) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot write trace '", path, "': ", std::strerror(errno)));
  }
  return std::unique_ptr<TraceFile>(new TraceFile(path, file, description, network));
}

TraceFile::TraceFile(std::string path, std::FILE* file, const Description& description,
                   const Network& network)
    : path_(std::move(path)), file_(file), description_(description), network_(network) {
  std::fprintf(file_, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"fabric\":%s},\"traceEvents\":[\n",
               Quoted(description_.name).c_str());
}

TraceFile::~TraceFile() {
  if (file_ != nullptr) std::fclose(file_);
}

bool TraceFile::Full() {
  if (slices_ < kMaxSlices) return ++slices_, false;
  ++left_out_;
  return true;
}

void TraceFile::NameProcess(int process, absl::string_view name) {
  if (!std::exchange(processes_[process], true)) {
    std::fprintf(file_, "{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\",\"args\":{\"name\":%s}},\n",
                 process, Quoted(name).c_str());
    std::fprintf(file_,
                 "{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%d}},\n",
                 process, process);
  }
}

// Endpoints are numbered first, then the tiers' uplinks and the links between switches.
int TraceFile::ProcessOf(uint32_t port) {
  const int endpoint = network_.PortEndpoint(port);
  if (endpoint >= 0) {
    NameProcess(endpoint, absl::StrCat("endpoint ", endpoint));
    return endpoint;
  }
  const Port& p = network_.ports()[port];
  const int process = description_.endpoints + p.tier;
  NameProcess(process, p.kind == PortKind::kLink
                           ? "links between switches"
                           : absl::StrCat("uplinks of ", description_.tiers[p.tier].name));
  return process;
}

void TraceFile::Slice(Track& track, const std::string& thread, const std::string& name,
                     int64_t bytes, Time begin, Time end) {
  size_t lane = 0;
  while (lane < track.busy.size() && track.busy[lane] > begin) ++lane;
  if (lane == track.busy.size()) {
    track.busy.push_back(0);
    track.threads.push_back(threads_);
    std::fprintf(file_,
                 "{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"thread_name\",\"args\":{\"name\":%s}},\n",
                 track.process, threads_, Quoted(thread).c_str());
    ++threads_;
  }
  track.busy[lane] = end;
  std::fprintf(file_,
               "{\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"ts\":%s,\"dur\":%s,\"name\":%s,"
               "\"args\":{\"bytes\":%lld}},\n",
               track.process, track.threads[lane], Microseconds(begin).c_str(),
               Microseconds(end - begin).c_str(), Quoted(name).c_str(),
               static_cast<long long>(bytes));
}

void TraceFile::Passed(uint32_t port, int src, int dst, int64_t bytes, Time begin, Time end) {
  if (Full()) return;
  auto [it, fresh] = ports_.try_emplace(port);
  if (fresh) it->second.process = ProcessOf(port);
  Slice(it->second, network_.PortName(port), absl::StrCat(EndName(src), " to ", EndName(dst)), bytes,
        begin, end);
}

void TraceFile::Worked(int endpoint, int64_t bytes, Time begin, Time end) {
  if (Full()) return;
  NameProcess(endpoint, absl::StrCat("endpoint ", endpoint));
  Track& track = engines_[endpoint];
  track.process = endpoint;
  Slice(track, absl::StrCat("endpoint ", endpoint, " engine"), "reduce or copy", bytes, begin, end);
}

absl::Status TraceFile::Close() {
  std::fprintf(file_, "{\"ph\":\"M\",\"pid\":0,\"name\":\"trace_slices\",\"args\":{\"left_out\":%lld}}\n]}\n",
               static_cast<long long>(left_out_));
  const bool failed = std::ferror(file_) != 0;
  const bool unclosed = std::fclose(std::exchange(file_, nullptr)) != 0;
  if (failed || unclosed) {
    return absl::UnavailableError(absl::StrCat("could not write the whole trace '", path_, "'"));
  }
  if (left_out_ > 0) {
    return absl::ResourceExhaustedError(absl::StrCat("trace '", path_, "' holds the first ",
                                                     kMaxSlices, " slices; ", left_out_,
                                                     " more are left out"));
  }
  return absl::OkStatus();
}

}  // namespace fabric
