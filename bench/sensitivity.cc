#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/commands.h"
#include "ccl/base/status.h"
#include "fabric/description.h"

namespace ccl {
namespace {

constexpr double kStep = 0.02;     // of a parameter, up and down
constexpr double kNoEffect = 5e-5;  // prints as 0.0000

// d ln T / d ln parameter on each side of the parameter's value. They differ where a little more or
// less lets messages meet that did not, or another port be the limit.
struct Elasticity {
  fabric::Parameter parameter;
  double below = 0, above = 0;
  bool has_below = true, has_above = true;  // else the value there is not valid

  double largest() const { return std::max(std::abs(below), std::abs(above)); }
};

class Sensitivity {
 public:
  Sensitivity(const std::string& fabric, const std::string& engine,
              const std::vector<std::string>& sets, const std::vector<std::string>& events, int ranks,
              Trial trial)
      : fabric_(fabric), engine_(engine), sets_(sets), events_(events), ranks_(ranks), trial_(std::move(trial)) {}

  absl::StatusOr<Elasticity> Of(const fabric::Parameter& parameter) const {
    CCL_ASSIGN_OR_RETURN(const double here, Time(parameter, 1));
    Elasticity e{parameter};
    const absl::StatusOr<double> less = Time(parameter, 1 - kStep), more = Time(parameter, 1 + kStep);
    if (!less.ok() && !more.ok()) return less.status();
    e.has_below = less.ok();
    e.has_above = more.ok();
    if (less.ok()) e.below = Slope(*less, here, 1 - kStep);
    if (more.ok()) e.above = Slope(*more, here, 1 + kStep);
    return e;
  }

 private:
  static double Slope(double seconds, double here, double factor) {
    return (std::log(std::max(seconds, 1e-12)) - std::log(std::max(here, 1e-12))) / std::log(factor);
  }
  absl::StatusOr<double> Time(fabric::Parameter parameter, double factor) const {
    std::vector<std::string> sets = sets_;
    parameter.value *= factor;
    if (factor != 1) sets.push_back(absl::StrCat(parameter.key, "=", ValueText(parameter)));
    Options options;
    options.backend = FabricUrl(fabric_, engine_, sets, events_);
    options.phantom = true;
    CCL_ASSIGN_OR_RETURN(std::unique_ptr<Job> job, Job::Open(options, ranks_));
    CCL_ASSIGN_OR_RETURN(const Outcome outcome, job->Run(trial_));
    return outcome.seconds;
  }

  const std::string fabric_, engine_;
  const std::vector<std::string> sets_, events_;
  const int ranks_;
  const Trial trial_;
};

std::string Side(double slope, bool valid) {
  return valid ? absl::StrFormat("%+.4f", slope) : "-";
}

std::string Readable(const fabric::Parameter& p) {
  char text[64];
  if (p.unit == "ps") {
    std::snprintf(text, sizeof text, "%g ns", p.value / 1e3);
  } else if (p.unit == "B/s") {
    std::snprintf(text, sizeof text, "%g GB/s", p.value / 1e9);
  } else {
    std::snprintf(text, sizeof text, "%g%s%s", p.value, p.unit.empty() ? "" : " ", p.unit.c_str());
  }
  return text;
}

}  // namespace

absl::Status PrintSensitivity(const std::string& fabric, const std::string& engine,
                              const std::vector<std::string>& sets,
                              const std::vector<std::string>& events, int ranks, Trial trial) {
  CCL_ASSIGN_OR_RETURN(const fabric::Description description, fabric::Load(fabric, ranks, sets, events));
  std::printf("# Sensitivity of %s of %lu bytes by %s: per cent of time for one per cent of a\n"
              "# parameter, below and above its value\n",
              CollectiveName(trial).c_str(),
              static_cast<unsigned long>(SizeColumn(trial, trial.count, ranks)),
              trial.sendrecv ? "sendrecv" : trial.algorithm.c_str());
  const Sensitivity sensitivity(fabric, engine, sets, events, ranks, trial);
  std::vector<Elasticity> found;
  std::vector<std::string> none, zero;
  for (const fabric::Parameter& parameter : fabric::Parameters(description)) {
    if (parameter.value == 0) {
      zero.push_back(parameter.key);
      continue;
    }
    CCL_ASSIGN_OR_RETURN(Elasticity elasticity, sensitivity.Of(parameter));
    if (elasticity.largest() < kNoEffect) {
      none.push_back(parameter.key);
    } else {
      found.push_back(std::move(elasticity));
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Elasticity& a, const Elasticity& b) {
    return a.largest() > b.largest();
  });
  for (const Elasticity& e : found) {
    std::printf("#   %9s %9s  %-28s %s\n", Side(e.below, e.has_below).c_str(),
                Side(e.above, e.has_above).c_str(), e.parameter.key.c_str(),
                Readable(e.parameter).c_str());
  }
  if (!none.empty()) std::printf("#   no effect: %s\n", absl::StrJoin(none, ", ").c_str());
  if (!zero.empty()) std::printf("#   0, so not varied: %s\n", absl::StrJoin(zero, ", ").c_str());
  std::fflush(stdout);
  return absl::OkStatus();
}

}  // namespace ccl
