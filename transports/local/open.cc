// From a URL to an open LocalBackend.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ccl/base/status.h"
#include "transports/local/backend.h"
#include "transports/local/local.h"

namespace ccl {
namespace {

constexpr int kMostRanks = 1024;
constexpr int kStandardTimeout = 60, kLongestTimeout = 86400;  // seconds

struct Address {
  int ranks = 0, rank = -1;
  std::string job;
  int timeout = kStandardTimeout;
};

absl::Status ReadNumber(absl::string_view name, absl::string_view text, int low, int high, int& number) {
  if (absl::SimpleAtoi(text, &number) && number >= low && number <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("local: ", name, "='", text, "' is not a number in ", low, "..", high));
}

absl::StatusOr<Address> ParseAddress(absl::string_view rest) {
  Address address;
  if (rest.empty()) return address;
  if (!absl::ConsumePrefix(&rest, "?")) {
    return absl::InvalidArgumentError(absl::StrCat("local: '", rest, "' does not start with '?'; write local: or "
                                                   "local:?job=NAME"));
  }
  for (absl::string_view option : absl::StrSplit(rest, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(option, absl::MaxSplits('=', 1));
    absl::string_view value = parts.second;
    if (parts.first == "ranks") {
      CCL_RETURN_IF_ERROR(ReadNumber("ranks", value, 1, kMostRanks, address.ranks));
    } else if (parts.first == "rank") {
      CCL_RETURN_IF_ERROR(ReadNumber("rank", value, 0, kMostRanks - 1, address.rank));
    } else if (parts.first == "job") {
      address.job = std::string(value);
    } else if (parts.first == "timeout") {
      absl::ConsumeSuffix(&value, "s");
      CCL_RETURN_IF_ERROR(ReadNumber("timeout in seconds", value, 1, kLongestTimeout, address.timeout));
    } else {
      return absl::InvalidArgumentError(absl::StrCat("local: unknown option '", parts.first,
                                                     "'; the options are rank, ranks, job and timeout"));
    }
  }
  return address;
}

absl::Status Settle(absl::string_view name, int known, int& said) {
  if (known >= 0 && said >= 0 && known != said) {
    return absl::InvalidArgumentError(absl::StrCat("local: the URL says ", name, "=", said, ", the caller ", known));
  }
  if (said < 0) said = known;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenLocal(absl::string_view rest, const Membership& membership) {
  CCL_ASSIGN_OR_RETURN(Address address, ParseAddress(rest));
  if (address.ranks == 0) address.ranks = -1;
  CCL_RETURN_IF_ERROR(Settle("ranks", membership.ranks > 0 ? membership.ranks : -1, address.ranks));
  CCL_RETURN_IF_ERROR(Settle("rank", membership.rank, address.rank));
  if (address.ranks < 0 || address.rank < 0 || address.rank >= address.ranks || address.ranks > kMostRanks) {
    return absl::InvalidArgumentError(absl::StrCat(
        "local: rank ", address.rank, " of ", address.ranks, "; ranks are threads, 1 to ", kMostRanks,
        ", each of which says which it is: by cclCommInitRank, or as local:?rank=R&ranks=N"));
  }
  const std::string name = membership.id.empty() ? absl::StrCat("job ", address.job) : absl::StrCat("id ", membership.id);
  return local::LocalBackend::Open(name, address.ranks, address.rank, std::chrono::seconds(address.timeout));
}

absl::StatusOr<std::string> NewLocalId(absl::string_view, size_t) { return std::string(); }

}  // namespace ccl
