// Where the measurements of a machine are kept from job to job.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/topology/measured.h"

namespace ccl {
namespace {

constexpr size_t kMostBytes = size_t{4} << 20;

// A name's letters that every file system takes.
std::string Plain(absl::string_view name) {
  std::string plain(name.substr(0, 100));
  for (char& c : plain) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '.' && c != '+') c = '_';
  }
  return plain;
}

std::string Describe(const MachineKey& key) {
  return absl::StrCat("layout ", key.layout, " at ", key.host, " (", key.cores, " cores) over ", key.transport);
}

}  // namespace

MachineKey KeyOf(absl::string_view backend, const Topology& topology) {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  MachineKey key{name, std::string(backend), LayoutOf(topology),
                 static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};
  const Level* const host = topology.Host();
  const bool shares = host != nullptr && host->group_by_members;
  if (shares) key.transport = host->grouping.groups() == 1 ? "shm" : absl::StrCat(backend, "+shm");
  return key;
}

std::optional<MachineKey> HostKeyOf(absl::string_view backend, const Topology& topology) {
  const Level* const host = topology.Host();
  if (host == nullptr || host->grouping.groups() == 1 || host->grouping.size(0) == 1) return std::nullopt;
  return KeyOf(backend, FirstHost(topology));
}

std::string MachinePath(const MachineKey& key) {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  const char* const home = std::getenv("HOME");
  std::string folder;
  if (cache != nullptr && cache[0] == '/') {
    folder = cache;
  } else if (home != nullptr && home[0] == '/') {
    folder = absl::StrCat(home, "/.cache");
  } else {
    return "";
  }
  return absl::StrCat(folder, "/ccl/machine-", Plain(key.host), "-", Plain(key.transport), "-", Plain(key.layout),
                      "-of-", key.cores);
}

absl::StatusOr<std::string> ReadMachine(const MachineKey& key) {
  const std::string path = MachinePath(key);
  if (path.empty()) return absl::NotFoundError("there is neither $XDG_CACHE_HOME nor $HOME");
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("there is no ", path));
  std::string text(kMostBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  absl::StatusOr<Machine> machine = ParseMachine(text);
  if (!machine.ok()) return absl::InvalidArgumentError(absl::StrCat(path, " ", machine.status().message()));
  if (machine->key == key) return text;
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is of ", Describe(machine->key), ", not of ", Describe(key)));
}

absl::Status WriteMachine(const Machine& machine) {
  const std::string path = MachinePath(machine.key);
  if (path.empty()) {
    return absl::FailedPreconditionError("there is neither $XDG_CACHE_HOME nor $HOME to keep figures in");
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const std::string draft = absl::StrCat(path, ".", getpid());
  std::ofstream file(draft, std::ios::binary);
  file << Format(machine);
  file.close();
  if (!file || std::rename(draft.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(draft.c_str());
    return absl::UnavailableError(absl::StrCat(path, " cannot be written: ", reason));
  }
  return absl::OkStatus();
}

}  // namespace ccl
