#include "transports/tcp/settings.h"

#include <cctype>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ccl/base/log.h"
#include "ccl/base/status.h"

namespace ccl::tcp {
namespace {

constexpr int kMostConnections = 16;
constexpr std::chrono::milliseconds kShortest(1000), kLongest(24 * 3600 * 1000);

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::Status ReadTimeout(absl::string_view text, std::chrono::milliseconds& timeout) {
  int64_t number = 0;
  absl::string_view digits = text;
  const bool milli = absl::ConsumeSuffix(&digits, "ms");
  if ((milli || absl::ConsumeSuffix(&digits, "s")) && absl::SimpleAtoi(digits, &number) && number > 0 &&
      number <= kLongest.count()) {
    timeout = std::chrono::milliseconds(milli ? number : number * 1000);
    if (timeout >= kShortest && timeout <= kLongest) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("timeout='", text, "' is not a time with its unit, 1s to 86400s, such as 30s or 2500ms"));
}

absl::Status ReadNumber(absl::string_view name, absl::string_view text, int low, int high, int& number) {
  if (absl::SimpleAtoi(text, &number) && number >= low && number <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, "='", text, "' is not a number in ", low, "..", high));
}

absl::Status ReadSecret(absl::string_view name, absl::string_view text, Secret& secret) {
  // For networks on which everybody may join; nothing makes this up by itself.
  if (text == "none") return secret = {}, absl::OkStatus();
  if (ParseSecret(text, secret)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is not a secret: 32 hexadecimal digits, as of openssl rand -hex 16, or none"));
}

absl::Status ReadRoot(absl::string_view text, Settings& s) {
  CCL_ASSIGN_OR_RETURN(auto place, ParseHostAndPort(text));
  s.root = std::move(place.first);
  s.root_port = place.second;
  return absl::OkStatus();
}

absl::Status Read(absl::string_view name, absl::string_view value, Settings& s) {
  if (name == "rank") return ReadNumber(name, value, 0, 1 << 20, s.rank);
  if (name == "ranks") return ReadNumber(name, value, 1, 1 << 20, s.ranks);
  if (name == "root") return ReadRoot(value, s);
  if (name == "secret") return s.has_secret = true, ReadSecret(name, value, s.secret);
  if (name == "interface") return s.interface = std::string(value), absl::OkStatus();
  if (name == "connections") return ReadNumber(name, value, 1, kMostConnections, s.connections);
  if (name == "congestion") return s.congestion = std::string(value), absl::OkStatus();
  if (name == "timeout") return ReadTimeout(value, s.timeout);
  if (name == "shm" && !s.one_host) {
    if (value != "yes" && value != "no") {
      return absl::InvalidArgumentError(absl::StrCat("shm='", value, "' is neither yes nor no"));
    }
    s.shares = value == "yes";
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown option '", name, "'; the options are rank=R, ranks=N, root=HOST:PORT, secret=HEX, "
      "interface=NAME|NETWORK, connections=K, congestion=NAME, timeout=TIME", s.one_host ? "" : ", shm=yes|no"));
}

// What the caller and the URL say, or the environment: one of them, or the same.
absl::Status Settle(absl::string_view what, const char* variable, bool look, int unsaid, int caller, int low,
                    int& number, std::vector<std::string>& missing) {
  int from_environment = unsaid;
  const std::string text = look ? Variable(variable) : "";
  if (number == unsaid && !text.empty()) {
    CCL_RETURN_IF_ERROR(ReadNumber(variable, text, low, 1 << 20, from_environment));
    number = from_environment;
  }
  if (number == unsaid) number = caller;
  if (number == unsaid) {
    missing.push_back(absl::StrCat(what, "= or ", variable));
  } else if (caller != unsaid && caller != number) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " ", caller, " is wanted, the ", from_environment == unsaid ? "URL" : variable,
                     " says ", number));
  }
  return absl::OkStatus();
}

absl::Status FromEnvironment(Settings& s, std::vector<std::string>& missing) {
  if (s.root.empty()) {
    const std::string host = Variable("MASTER_ADDR"), port = Variable("MASTER_PORT");
    if (host.empty() || port.empty()) {
      missing.push_back("root=HOST:PORT or MASTER_ADDR and MASTER_PORT");
    } else {
      const bool v6 = host.find(':') != std::string::npos && host[0] != '[';
      absl::Status status =
          ReadRoot(v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port), s);
      if (!status.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("MASTER_ADDR and MASTER_PORT: ", status.message()));
      }
    }
  }
  if (s.has_secret) return absl::OkStatus();
  const std::string text = Variable("CCL_SECRET");
  if (text.empty()) {
    missing.push_back("secret= or CCL_SECRET: 32 hexadecimal digits, equal on all ranks");
    return absl::OkStatus();
  }
  return ReadSecret("CCL_SECRET", text, s.secret);
}

absl::StatusOr<Settings> ReadOptions(absl::string_view rest, Settings s) {
  if (!rest.empty() && rest[0] != '?') {
    return absl::InvalidArgumentError(absl::StrCat("'", WithoutSecret(rest), "' does not start with '?'"));
  }
  for (absl::string_view option : absl::StrSplit(absl::StripPrefix(rest, "?"), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(option, absl::MaxSplits('=', 1));
    CCL_RETURN_IF_ERROR(Read(parts.first, parts.second, s));
  }
  return s;
}

absl::StatusOr<Settings> Complete(Settings s, int ranks, int rank, bool with_id) {
  if (with_id && (s.has_secret || !s.root.empty())) {
    return absl::InvalidArgumentError("root= and secret= come with the unique id; leave them out");
  }
  std::vector<std::string> missing;
  CCL_RETURN_IF_ERROR(Settle("ranks", "WORLD_SIZE", !with_id, 0, ranks, 1, s.ranks, missing));
  CCL_RETURN_IF_ERROR(Settle("rank", "RANK", !with_id, -1, rank, 0, s.rank, missing));
  if (missing.empty() && s.rank >= s.ranks) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", s.rank, " is not in 0..", s.ranks - 1));
  }
  if (!with_id && s.ranks != 1) CCL_RETURN_IF_ERROR(FromEnvironment(s, missing));
  if (!missing.empty()) {
    std::string text = "nothing says ";
    for (size_t i = 0; i < missing.size(); ++i) absl::StrAppend(&text, i > 0 ? "; " : "", missing[i]);
    return absl::InvalidArgumentError(absl::StrCat(
        text, ". A unique id made while CCL_BACKEND is tcp: or shm: says all of it; so does the "
        "environment that cclbench launch sets"));
  }
  return s;
}

}  // namespace

bool ParseSecret(absl::string_view text, Secret& secret) {
  if (text.size() != 2 * secret.size()) return false;
  for (size_t i = 0; i < secret.size(); ++i) {
    int byte = 0;
    for (char c : text.substr(2 * i, 2)) {
      if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
      byte = byte * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    secret[i] = static_cast<uint8_t>(byte);
  }
  return true;
}

absl::StatusOr<Settings> ReadUrl(absl::string_view scheme, absl::string_view rest) {
  Settings start;
  start.one_host = scheme == "shm";
  absl::StatusOr<Settings> settings = ReadOptions(rest, std::move(start));
  if (settings.ok()) return settings;
  return absl::Status(settings.status().code(), absl::StrCat(scheme, ": ", settings.status().message()));
}

absl::StatusOr<Settings> ReadSettings(absl::string_view scheme, absl::string_view rest, int ranks, int rank,
                                      bool with_id) {
  CCL_ASSIGN_OR_RETURN(Settings said, ReadUrl(scheme, rest));
  absl::StatusOr<Settings> settings = Complete(std::move(said), ranks, rank, with_id);
  if (settings.ok()) return settings;
  return absl::Status(settings.status().code(), absl::StrCat(scheme, ": ", settings.status().message()));
}

}  // namespace ccl::tcp
