#include "ccl/dumps.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "ccl/base/log.h"
#include "ccl/communicator.h"
#include "ccl/dump_options.h"
#include "ccl/signals.h"

namespace ccl {
namespace {

std::string FileIn(absl::string_view folder, int rank) {
  static std::atomic<int> next{0};
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return absl::StrCat(folder, "/flight-", host, "-", getpid(), "-r", rank, "-", next.fetch_add(1), ".json");
}

void Write(Communicator& communicator, const std::string& path, absl::string_view why, Time now,
           const absl::Status& error) {
  const absl::Status written = WriteFile(path, communicator.FlightJson(why, now, error));
  Log(LogLevel::kWarn, LogPart::kInit,
      written.ok() ? absl::StrCat("rank ", communicator.rank(), ": the flight record is in ", path, " (",
                                  why, ")")
                   : std::string(written.message()));
}

}  // namespace

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  bool written = file != nullptr;
  if (written) written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  if (written) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("cannot write '", path, "'"));
}

FlightDumps::FlightDumps(Engine& engine) : engine_(engine) {
  engine_.OnFailure([this](Time now, const absl::Status& world) { Failed(now, world); });
}

FlightDumps::~FlightDumps() = default;

void FlightDumps::Add(Communicator* communicator, absl::string_view folder, int signal) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    entries_.push_back({communicator, FileIn(folder, communicator->rank()), signal, false});
  }
  if (signal != 0) Signals::OfProcess().Add(signal, this);
}

void FlightDumps::Remove(Communicator* communicator) {
  int signal = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return entry.communicator == communicator;
    });
    signal = found->signal;
    entries_.erase(found);
  }
  if (signal != 0) Signals::OfProcess().Remove(signal, this);
}

void FlightDumps::Failed(Time now, const absl::Status& world) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (Entry& entry : entries_) {
    const absl::Status& error = world.ok() ? entry.communicator->scope()->error.status() : world;
    if (error.ok() || entry.failed) continue;
    entry.failed = true;
    const char* why = absl::IsDeadlineExceeded(error) ? "timeout" : "error";
    Write(*entry.communicator, entry.path, why, now, error);
  }
}

void FlightDumps::Signalled(int signal) {
  engine_.Look([&](Time now, const absl::Status& world) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Entry& entry : entries_) {
      if (entry.signal != signal) continue;
      const absl::Status& error = world.ok() ? entry.communicator->scope()->error.status() : world;
      Write(*entry.communicator, entry.path, absl::StrCat("signal ", SignalName(signal)), now, error);
    }
  });
}

}  // namespace ccl
