#include "bench/fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ccl/plan/cost.h"
#include "transports/emulated/emulated.h"

namespace ccl {
namespace {

constexpr int kMostProtocols = 3;

// Predictions for many points on one description: a topology for every number of ranks.
class Predictor {
 public:
  explicit Predictor(const fabric::Description& d) : d_(d) {}

  double Seconds(const Point& point) {
    const Sample& sample = point.sample;
    const Topology& topology = TopologyFor(sample.ranks);
    if (sample.sendrecv) {
      const Level& level = topology.LevelOf(0, std::min(1, sample.ranks - 1));
      const double bytes = static_cast<double>(sample.bytes);
      double least = bytes * 1e12 / level.bandwidth;
      for (size_t i = 0; i < level.protocols.size(); ++i) {
        const Protocol& p = level.protocols[i];
        const double time = static_cast<double>(p.overhead) + bytes * 1e12 / p.bandwidth;
        if (i == 0 || time < least) least = time;
      }
      return 1e-12 * (least + static_cast<double>(topology.launch_overhead + level.latency +
                                                  topology.send_overhead + topology.recv_overhead));
    }
    const Shape shape{sample.collective, sample.ranks, 0, 0, GroupingsOf(topology)};
    double least = -1;
    for (const std::string& text : point.algorithms) {
      const auto spec = ParseAlgorithm(text);
      if (!spec.ok()) continue;
      const double time = PredictTime(*spec, shape, sample.bytes, topology);
      if (std::isfinite(time) && (least < 0 || time < least)) least = time;
    }
    return least < 0 ? -1 : least * 1e-12;
  }

 private:
  const Topology& TopologyFor(int ranks) {
    auto [it, fresh] = topologies_.try_emplace(ranks);
    if (fresh) {
      fabric::Description d = d_;
      if (d.tiers.size() == 1) d.tiers[0].group_size = std::max(d.tiers[0].group_size, ranks);
      d.endpoints = ranks;
      it->second = TopologyOf(d);
    }
    return it->second;
  }

  const fabric::Description& d_;
  std::map<int, Topology> topologies_;
};

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double MedianError(const std::vector<Point>& points, const fabric::Description& d, bool held) {
  Predictor predictor(d);
  std::vector<double> errors;
  for (const Point& point : points) {
    if (point.held_out != held) continue;
    errors.push_back(std::abs(predictor.Seconds(point) / point.sample.seconds - 1));
  }
  return Median(std::move(errors));
}

// What is searched: figures, all positive, and how they make a description.
struct Search {
  const fabric::Description* base;
  std::string tier;
  int protocols;
  bool blocks, exchanges;     // whether points tell of such passes
  double latency, bandwidth;  // first guesses

  std::vector<double> Begin(const std::vector<Point>& points) const {
    double shortest = 1;
    for (const Point& p : points) shortest = std::min(shortest, p.sample.seconds);
    std::vector<double> figures = {shortest * 0.5e12};  // launch, ps
    if (base == nullptr) figures.insert(figures.end(), {latency, bandwidth});
    for (int i = 0; i < protocols; ++i) {
      const double share = std::pow(0.4, protocols - 1 - i);
      if (base != nullptr || i > 0) figures.push_back(shortest * 0.2e12 * std::pow(5, i));
      if (base != nullptr || i + 1 < protocols) figures.push_back(0.8 * share);
    }
    if (blocks) figures.push_back(3 * bandwidth);
    if (exchanges) figures.push_back(3 * bandwidth);
    return figures;
  }

  fabric::Description Make(const std::vector<double>& figures) const {
    size_t at = 0;
    const auto time = [&] { return static_cast<Time>(std::min(figures[at++], 1e15)); };
    fabric::Description d;
    if (base != nullptr) {
      d = *base;
      Keep(d);
    } else {
      d.tiers.resize(1);
      d.tiers[0].name = tier;
      d.endpoints = 2;
    }
    d.launch_overhead = time();
    if (base == nullptr) {
      d.tiers[0].switch_latency = time();
      d.tiers[0].port_bandwidth = std::clamp(figures[at++], 1.0, 1e18);
    }
    for (int i = 0; i < protocols; ++i) {
      fabric::Protocol p;
      p.name = protocols == 1 ? "all" : i == 0 ? "short" : i + 1 == protocols ? "long" : "medium";
      if (d.tiers.size() > 1) {
        p.tiers = {tier};
        p.name = absl::StrCat(tier, "-", p.name);
      }
      if (base != nullptr || i > 0) p.overhead = time();
      if (base != nullptr || i + 1 < protocols) p.efficiency = std::clamp(figures[at++], 1e-4, 1.0);
      d.protocols.push_back(std::move(p));
    }
    if (blocks) d.block_bandwidth = std::clamp(figures[at++], 1.0, 1e18);
    if (exchanges) d.exchange_bandwidth = std::clamp(figures[at++], 1.0, 1e18);
    return d;
  }

 private:
  // Leaves the protocols of other tiers.
  void Keep(fabric::Description& d) const {
    std::vector<fabric::Protocol> kept;
    for (fabric::Protocol& p : d.protocols) {
      if (p.tiers.empty()) {
        for (const fabric::Tier& t : d.tiers) p.tiers.push_back(t.name);
      }
      p.tiers.erase(std::remove(p.tiers.begin(), p.tiers.end(), tier), p.tiers.end());
      if (!p.tiers.empty()) kept.push_back(std::move(p));
    }
    d.protocols = std::move(kept);
  }
};

// Grows slowly with the error of a point, so that those that fit nothing do not rule.
double Loss(const std::vector<Point>& points, const fabric::Description& d) {
  Predictor predictor(d);
  double loss = 0;
  for (const Point& point : points) {
    if (point.held_out) continue;
    const double seconds = predictor.Seconds(point);
    const double ratio = seconds > 0 ? seconds / point.sample.seconds : 1e-9;
    loss += std::log1p(10 * std::abs(std::log(ratio)));
  }
  return loss;
}

// A random walk that only goes down, in shorter and shorter steps. The generator's bits are the same
// everywhere; the distributions of the standard library are not.
fabric::Description Descend(const std::vector<Point>& points, const Search& search) {
  constexpr int kSteps = 3000;
  std::vector<double> best;
  double least = 0;
  for (uint32_t seed : {1u, 2u}) {
    std::mt19937 random(seed);
    const auto uniform = [&] { return static_cast<double>(random()) / 4294967296.0 * 2 - 1; };
    std::vector<double> here = search.Begin(points);
    double loss = Loss(points, search.Make(here));
    for (int step = 0; step < kSteps; ++step) {
      const double width = 1.2 * (1 - static_cast<double>(step) / kSteps) + 0.02;
      std::vector<double> there = here;
      for (int changes = 1 + static_cast<int>(random() % 2); changes > 0; --changes) {
        there[random() % there.size()] *= std::exp(width * uniform() * uniform());
      }
      const double other = Loss(points, search.Make(there));
      if (other < loss) loss = other, here = std::move(there);
    }
    if (best.empty() || loss < least) best = std::move(here), least = loss;
  }
  return search.Make(best);
}

}  // namespace

void HoldOut(std::vector<Point>& points) {
  std::map<std::tuple<bool, Collective, int, std::string>, std::vector<Point*>> series;
  for (Point& p : points) {
    series[{p.sample.sendrecv, p.sample.collective, p.sample.ranks, p.sample.algorithm}].push_back(&p);
  }
  for (auto& [key, list] : series) {
    std::stable_sort(list.begin(), list.end(), [](const Point* a, const Point* b) {
      return a->sample.bytes < b->sample.bytes;
    });
    for (size_t i = 2; i + 1 < list.size(); i += 4) list[i]->held_out = true;
  }
}

double PredictPoint(const Point& point, const fabric::Description& description) {
  return Predictor(description).Seconds(point);
}

absl::StatusOr<Fit> FitFabric(const std::vector<Point>& points, const fabric::Description* base) {
  if (points.size() < 6) {
    return absl::InvalidArgumentError(
        absl::StrCat(points.size(), " measured times are too few for a fit; six are the least"));
  }
  Search search{.base = base, .tier = "switch", .protocols = 1};
  double shortest = 1;
  for (const Point& p : points) {
    if (base != nullptr) {
      if (p.sample.ranks > base->tiers.back().group_size) {
        return absl::InvalidArgumentError(absl::StrCat(base->name, " holds ",
                                                       base->tiers.back().group_size, " ranks, not ",
                                                       p.sample.ranks));
      }
      const std::string& tier = base->tiers[base->MeetingTier(0, p.sample.ranks - 1)].name;
      if (&p != &points.front() && tier != search.tier) {
        return absl::InvalidArgumentError(absl::StrCat(
            "the ranks of some measurements meet at tier ", search.tier, " of ", base->name,
            ", of others at ", tier, "; fit one tier after the other"));
      }
      search.tier = tier;
    }
    const bool exchange = !p.sample.sendrecv && p.sample.collective == Collective::kAllToAll;
    search.exchanges = search.exchanges || exchange;
    search.blocks = search.blocks || (!p.sample.sendrecv && !exchange &&
                                      !HasRoot(p.sample.collective) &&
                                      p.sample.collective != Collective::kBarrier);
    search.bandwidth = std::max(search.bandwidth,
                                static_cast<double>(p.sample.bytes) / p.sample.seconds);
    shortest = std::min(shortest, p.sample.seconds);
  }
  search.latency = shortest * 0.2e12;
  Fit best;
  for (search.protocols = 1; search.protocols <= kMostProtocols; ++search.protocols) {
    Fit fit;
    fit.description = Descend(points, search);
    fit.tier = search.tier;
    fit.whole = base == nullptr;
    fit.protocols = search.protocols;
    fit.fitted_error = MedianError(points, fit.description, false);
    fit.held_error = MedianError(points, fit.description, true);
    const double now = std::max(fit.held_error, fit.fitted_error);
    const double before = std::max(best.held_error, best.fitted_error);
    if (best.protocols == 0 || now < 0.85 * before) best = std::move(fit);
  }
  fabric::Calibration& c = best.description.calibrated;
  c = {"", INT64_MAX, 0, INT32_MAX, 0};
  for (const Point& p : points) {
    c.min_bytes = std::min(c.min_bytes, static_cast<int64_t>(p.sample.bytes));
    c.max_bytes = std::max(c.max_bytes, static_cast<int64_t>(p.sample.bytes));
    c.min_ranks = std::min(c.min_ranks, p.sample.ranks);
    c.max_ranks = std::max(c.max_ranks, p.sample.ranks);
  }
  return best;
}

std::string FileOf(const Fit& fit, const std::string& name, const std::string& preset,
                   const std::vector<std::string>& provenance) {
  const fabric::Description& d = fit.description;
  const fabric::Calibration& c = d.calibrated;
  std::string text;
  for (const std::string& line : provenance) absl::StrAppend(&text, "# ", line, "\n");
  if (!preset.empty()) absl::StrAppend(&text, "preset = \"", preset, "\"\n");
  absl::StrAppend(&text, "name = \"", name, "\"\n");
  if (fit.whole) absl::StrAppend(&text, "endpoints = ", c.max_ranks, "\n");
  const auto tag = absl::StrFormat("# [fit] median error %.1f %%, %.1f %% of points held out\n",
                                   100 * fit.fitted_error, 100 * fit.held_error);
  const auto ns = [](Time ps) { return absl::StrFormat("\"%.3f ns\"", static_cast<double>(ps) / 1e3); };
  const auto rate = [](double bytes) { return absl::StrFormat("\"%.6g GB/s\"", bytes / 1e9); };
  absl::StrAppend(&text, tag, "launch_overhead = ", ns(d.launch_overhead), "\n");
  const auto pass = [&](const char* key, double value) {
    if (value > 0) absl::StrAppend(&text, "# [fit] likewise\n", key, " = ", rate(value), "\n");
  };
  pass("block_bandwidth", d.block_bandwidth);
  pass("exchange_bandwidth", d.exchange_bandwidth);
  absl::StrAppend(&text, "\n[calibrated]\nsystem = \"", name, "\"\nmin_bytes = \"", c.min_bytes,
                  " B\"\nmax_bytes = \"", c.max_bytes, " B\"\nmin_ranks = ", c.min_ranks,
                  "\nmax_ranks = ", c.max_ranks, "\n");
  if (fit.whole) {
    absl::StrAppend(&text, "\n[[tier]]\nname = \"", fit.tier, "\"\n# [fit] likewise\nport_bandwidth = ",
                    rate(d.tiers[0].port_bandwidth), "\n# [fit] likewise\nswitch_latency = ",
                    ns(d.tiers[0].switch_latency), "\n");
  }
  for (size_t i = 0; i < d.protocols.size(); ++i) {
    const fabric::Protocol& p = d.protocols[i];
    const bool fitted = i + fit.protocols >= d.protocols.size();
    absl::StrAppend(&text, "\n[[protocol]]\n", fitted ? "# [fit] likewise\n" : "# as in the preset\n",
                    "name = \"", p.name, "\"\n");
    if (!p.tiers.empty()) absl::StrAppend(&text, "tiers = \"", absl::StrJoin(p.tiers, ", "), "\"\n");
    if (p.transfer != fabric::Transfer::kAny) {
      const char* how[] = {"send", "write", "read"};
      absl::StrAppend(&text, "transfer = \"", how[static_cast<int>(p.transfer)], "\"\n");
    }
    if (p.overhead > 0) absl::StrAppend(&text, "overhead = ", ns(p.overhead), "\n");
    absl::StrAppend(&text, "efficiency = ", absl::StrFormat("%.6g", p.efficiency), "\n");
    if (p.message_bandwidth > 0) {
      absl::StrAppend(&text, "message_bandwidth = ", rate(p.message_bandwidth), "\n");
    }
    if (p.max_bytes != INT64_MAX) absl::StrAppend(&text, "max_bytes = \"", p.max_bytes, " B\"\n");
  }
  return text;
}

}  // namespace ccl
