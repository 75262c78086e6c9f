// What a caller's configuration says, whatever version of the struct it was compiled with.
#include "ccl/api/config.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "ccl/dump_options.h"

namespace ccl::api {
namespace {

constexpr uint32_t kConfigMagic = 0xcc1cafeu;
// Of the first version, which ends with `phantom`.
constexpr size_t kFirstSize = offsetof(cclConfig_t, blocking);

bool Has(int value) { return value != CCL_CONFIG_UNDEF_INT; }

}  // namespace

absl::StatusOr<Options> OptionsOf(const cclConfig_t* config, const Options& inherited) {
  Options options = inherited;
  if (config == nullptr) return WithEnvironment(options);
  if (config->magic != kConfigMagic || config->size < kFirstSize) {
    return absl::InvalidArgumentError(
        "the configuration was not initialised with CCL_CONFIG_INITIALIZER");
  }
  if (config->size > sizeof(cclConfig_t)) {
    return absl::InvalidArgumentError(absl::StrCat("the configuration has ", config->size,
                                                   " bytes: its caller was compiled with a newer "
                                                   "ccl.h than this library, which knows ",
                                                   sizeof(cclConfig_t)));
  }
  cclConfig_t c = CCL_CONFIG_INITIALIZER;
  std::memcpy(&c, config, config->size);
  const auto error = [](absl::string_view field, auto value, absl::string_view wanted) {
    return absl::InvalidArgumentError(
        absl::StrCat("the configuration's ", field, " is ", value, "; it is ", wanted));
  };
  if (c.backend != nullptr) options.backend = c.backend;
  if (c.algorithms != nullptr) options.algorithms = c.algorithms;
  if (config->size == kFirstSize || c.phantom != 0) options.phantom = c.phantom != 0;
  if (c.commName != nullptr) options.name = c.commName;
  struct Field {
    const char* name;
    int value, low, high;
    const char* wanted;
  };
  const Field fields[] = {
      {"blocking", c.blocking, 0, 1, "0 or 1"},
      {"trafficClass", c.trafficClass, 0, 255, "0 to 255"},
      {"minChannels", c.minChannels, 0, 4096, "0 to 4096"},
      {"maxChannels", c.maxChannels, 0, 4096, "0 to 4096"},
      {"deterministic", c.deterministic, 0, 2, "one of cclDeterminism_t"},
      {"timeoutMs", c.timeoutMs, 0, 1 << 30, "a number of milliseconds, 0 for none"},
      {"abortOnTimeout", c.abortOnTimeout, 0, 1, "0 or 1"},
      {"check", c.check, 0, 1, "0 or 1"},
      {"splitShare", c.splitShare, 0, 1, "0 or 1"},
      {"shrinkShare", c.shrinkShare, 0, 1, "0 or 1"},
      {"flightSignal", c.flightSignal, 0, 64, "SIGUSR1, SIGUSR2, SIGHUP, or 0 for none"},
  };
  for (const Field& field : fields) {
    if (Has(field.value) && (field.value < field.low || field.value > field.high)) {
      return error(field.name, field.value, field.wanted);
    }
  }
  if (Has(c.blocking)) options.blocking = c.blocking != 0;
  if (Has(c.trafficClass)) options.traffic_class = c.trafficClass;
  if (Has(c.minChannels)) options.min_channels = c.minChannels;
  if (Has(c.maxChannels)) options.max_channels = c.maxChannels;
  if (options.max_channels > 0 && options.min_channels > options.max_channels) {
    return error("minChannels", options.min_channels,
                 absl::StrCat("at most maxChannels, ", options.max_channels));
  }
  if (Has(c.deterministic)) options.deterministic = c.deterministic;
  if (Has(c.timeoutMs)) options.timeout_ms = c.timeoutMs;
  if (Has(c.abortOnTimeout)) options.abort_on_timeout = c.abortOnTimeout != 0;
  if (Has(c.check)) options.check = c.check;
  if (Has(c.splitShare)) options.split_share = c.splitShare != 0;
  if (Has(c.shrinkShare)) options.shrink_share = c.shrinkShare != 0;
  if (c.flightFolder != nullptr) options.flight_folder = c.flightFolder;
  if (Has(c.flightSignal)) {
    if (c.flightSignal != 0 && !MayAsk(c.flightSignal)) {
      return error("flightSignal", c.flightSignal, "SIGUSR1, SIGUSR2, SIGHUP, or 0 for none");
    }
    options.flight_signal = c.flightSignal;
  }
  return WithEnvironment(options);
}

}  // namespace ccl::api
