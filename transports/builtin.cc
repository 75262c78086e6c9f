#include "absl/strings/str_cat.h"
#include "ccl/backend/open.h"
#include "ccl/base/log.h"
#include "transports/emulated/emulated.h"
#include "transports/local/local.h"
#include "transports/mpi/load.h"
#include "transports/tcp/tcp.h"

// The table of transports: the one place that names them all.
namespace ccl {
namespace {

using Opened = absl::StatusOr<std::unique_ptr<Backend>>;

struct Scheme {
  absl::string_view name;
  Opened (*open)(absl::string_view rest, const Membership& membership);
  absl::StatusOr<std::string> (*new_id)(absl::string_view rest, size_t bytes);  // null: see MeetsByItself
};

constexpr Scheme kSchemes[] = {
    {"emulated", [](absl::string_view rest, const Membership& m) { return OpenEmulated(rest, m.ranks); }, nullptr},
    {"local", OpenLocal, NewLocalId},
    {"mpi", [](absl::string_view rest, const Membership& m) { return OpenMpi(rest, m.ranks); }, nullptr},
    {"shm", OpenShm, NewShmId},
    {"tcp", OpenTcp, NewTcpId},
};

// Null: there is none. `rest` is what follows.
const Scheme* SchemeOf(absl::string_view url, absl::string_view& rest) {
  const size_t colon = url.find(':');
  if (colon == absl::string_view::npos) return nullptr;
  rest = url.substr(colon + 1);
  for (const Scheme& scheme : kSchemes) {
    if (url.substr(0, colon) == scheme.name) return &scheme;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenBackend(absl::string_view url, const Membership& membership) {
  absl::string_view rest;
  if (const Scheme* scheme = SchemeOf(url, rest)) return scheme->open(rest, membership);
  std::string known;
  for (const Scheme& scheme : kSchemes) absl::StrAppend(&known, " ", scheme.name, ":");
  return absl::InvalidArgumentError(
      absl::StrCat("no backend is called '", WithoutSecret(url), "'; a backend starts with one of", known));
}

absl::StatusOr<std::unique_ptr<Backend>> OpenBackend(absl::string_view url, int ranks) {
  return OpenBackend(url, {.ranks = ranks});
}

bool MeetsByItself(absl::string_view url) {
  absl::string_view rest;
  const Scheme* scheme = SchemeOf(url, rest);
  return scheme != nullptr && scheme->new_id != nullptr;
}

absl::StatusOr<std::string> NewJobId(absl::string_view url, size_t bytes) {
  absl::string_view rest;
  const Scheme* scheme = SchemeOf(url, rest);
  if (scheme == nullptr || scheme->new_id == nullptr) return std::string();
  return scheme->new_id(rest, bytes);
}

}  // namespace ccl
