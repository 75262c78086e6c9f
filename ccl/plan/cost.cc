#include "ccl/plan/cost.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace ccl {
namespace {

constexpr double kSecond = 1e12;

// One level seen from a rank: picoseconds a message, and a byte.
struct Link {
  double alpha, beta, gamma, overhead;
  double port_beta;   // a byte, when many messages share the rank's ports
  double group_beta;  // a byte of a group operation; 0: they are lowered to messages
};

double CeilLog(int n, int radix) {
  int steps = 0;
  for (int64_t reach = 1; reach < n; reach *= radix) ++steps;
  return steps;
}

Link LinkOf(const Topology& topology, size_t index) {
  const Level& level = topology.levels[index];
  Link link;
  link.overhead = static_cast<double>(topology.send_overhead);
  link.alpha = static_cast<double>(level.latency + topology.send_overhead + topology.recv_overhead);
  double rate = level.bandwidth;
  double port = level.port_bandwidth > 0 ? level.port_bandwidth : rate;
  // Messages of all members of an inner group share its uplink.
  for (size_t i = 0; i < index; ++i) {
    const Level& inner = topology.levels[i];
    if (inner.group_uplink > 0) {
      rate = std::min(rate, inner.group_uplink / inner.grouping.SmallestSize());
      port = std::min(port, inner.group_uplink / inner.grouping.SmallestSize());
    }
  }
  link.beta = kSecond / rate;
  link.port_beta = kSecond / port;
  link.group_beta = level.group_bandwidth > 0 ? kSecond / level.group_bandwidth : 0;
  link.gamma = topology.reduce_bandwidth > 0 ? kSecond / topology.reduce_bandwidth : 0;
  return link;
}

// m: bytes of the larger buffer. The formulas stand in docs/algorithms.md.
double Flat(absl::string_view name, Collective collective, int n, uint32_t radix, double m,
            double slices, const Link& l) {
  if (n == 1) return 0;
  const double a = l.alpha, b = l.beta, g = l.gamma;
  const double block = m / n;
  const double log = CeilLog(n, 2);
  const bool all = collective == Collective::kAllReduce;
  const bool reduces = Reduces(collective);
  const double halves = all ? 2 : 1;
  const double volume = (n - 1) * block;
  const double fold = reduces ? volume * g : 0;
  if (name == "ring") {
    const double x = block * b / slices, rounds = halves * (n - 1);
    return std::max(rounds * (a + x) + (slices - 1) * x, rounds * slices * x + a) + fold;
  }
  if (name == "biring") {
    // The last block's second message meets the first.
    const double meet = reduces && n > 2 ? a : 0;
    return halves * std::ceil((n - 1) / 2.0) * (a + 2 * block * b) + meet + fold;
  }
  if (name == "nhr") return halves * (log * a + volume * b) + fold;
  const int power = static_cast<int>(std::bit_floor(static_cast<unsigned>(n)));
  const double steps = std::log2(power), extra = n > power ? 2 : 0;
  if (name == "recursive_doubling") {
    if (!all) return steps * a + volume * b;
    return (steps + extra) * (a + m * b) + steps * m * g;
  }
  if (name == "rabenseifner") {
    return 2 * (steps * a + (power - 1) * m / power * b) + extra * (a + m * b) + fold;
  }
  if (name == "double_binary_tree") {
    const double step = a + m / slices * b;
    return halves * (log * step + (slices - 1) * m / slices * b) + (reduces ? log * m * g : 0);
  }
  if (name == "knomial") {
    const int k = radix == 0 ? 2 : static_cast<int>(radix);
    const double rounds = CeilLog(n, k);
    if (collective == Collective::kGather || collective == Collective::kScatter) {
      return rounds * a + volume * b;
    }
    const double pieces = rounds * (k - 1);
    return halves * (rounds * a + pieces * m * b) + (reduces ? pieces * m * g : 0);
  }
  if (name == "chain") {
    return halves * (n - 2 + slices) * (a + m / slices * b) + (reduces ? m * g : 0);
  }
  // Many messages at once: each as fast as a message can be, all as fast as the ports.
  const auto spread = [&](double bytes) {
    return std::max(bytes / (n - 1) * b, bytes * l.port_beta);
  };
  if (name == "one_shot") return a + spread((n - 1) * m) + (n - 1) * (l.overhead + m * g);
  if (name == "two_shot") return 2 * (a + spread(volume) + (n - 2) * l.overhead) + fold;
  if (l.group_beta > 0) {
    if (name == "group_one_shot") return a + m * l.group_beta;
    if (name == "group_two_shot") return 2 * (a + m * l.group_beta);
    if (name == "group_direct") return a + (reduces ? m : volume) * l.group_beta;
  }
  if (name == "group_one_shot" || name == "direct" || name == "group_direct" ||
      name == "group_two_shot") {
    const bool per_rank = CountIsPerRank(collective) || name == "group_two_shot";
    const double bytes = per_rank ? volume : (n - 1) * m;
    const double rounds = name == "group_two_shot" ? 2 : 1;
    return rounds * (a + spread(bytes) + (n - 2) * l.overhead) + (reduces ? bytes * g : 0);
  }
  if (name == "pairwise") return (n - 1) * (a + block * b);
  if (name == "bruck") return log * (a + m / 2 * b);
  if (name == "dissemination") return log * a;
  return std::numeric_limits<double>::infinity();  // no formula: never chosen, only forced
}

double Composed(const std::vector<AlgorithmSpec>& parts, size_t part, Collective collective, int n,
                double m, double slices, const Topology& topology) {
  const size_t level = std::min(part, topology.levels.size() - 1);
  const bool last = part + 1 == parts.size();
  const Link link = LinkOf(topology, last ? topology.levels.size() - 1 : level);
  const AlgorithmSpec& spec = parts[part];
  if (last) return Flat(spec.name, collective, n, spec.radix, m, 1, link);
  const Grouping& grouping = topology.levels[level].grouping;
  const int below = level == 0 ? 1 : topology.levels[level - 1].grouping.size(0);
  const int g = std::max(1, grouping.size(0) / below);
  const int q = std::max(1, n / g);
  const auto within = [&](Collective c, absl::string_view name) {
    return Flat(name, c, g, spec.radix, m / slices, 1, link);
  };
  const auto between = [&](double bytes) {
    return Composed(parts, part + 1, collective, q, bytes / slices, 1, topology);
  };
  double stages[3] = {0, 0, 0};
  switch (collective) {
    case Collective::kAllReduce: {
      const bool scatters = spec.name == "two_shot" || spec.name == "ring" || spec.name == "nhr" ||
                            spec.name == "biring" || spec.name == "direct" ||
                            spec.name == "group_direct" || spec.name == "group_two_shot";
      const absl::string_view half = spec.name == "two_shot" ? absl::string_view("direct") : spec.name;
      stages[0] = within(scatters ? Collective::kReduceScatter : Collective::kReduce, half);
      stages[1] = between(scatters ? m / g : m);
      stages[2] = within(scatters ? Collective::kAllGather : Collective::kBroadcast, half);
      break;
    }
    case Collective::kReduceScatter:
    case Collective::kAllGather:
      stages[0] = within(collective, spec.name);
      stages[1] = between(m / g);
      break;
    default:
      stages[0] = within(collective, spec.name);
      stages[1] = between(m);
  }
  const double sum = stages[0] + stages[1] + stages[2];
  return sum + (slices - 1) * std::max({stages[0], stages[1], stages[2]});
}

}  // namespace

std::vector<Grouping> GroupingsOf(const Topology& topology) {
  std::vector<Grouping> groupings;
  for (const Level& level : topology.levels) {
    if (level.grouping.groups() > 1 && level.grouping.groups() < topology.ranks) {
      groupings.push_back(level.grouping);
    }
  }
  return groupings;
}

double PredictTime(const AlgorithmSpec& spec, const Shape& shape, uint64_t bytes,
                   const Topology& topology) {
  const double m = static_cast<double>(bytes), slices = spec.slices;
  const double launch = static_cast<double>(topology.launch_overhead);
  if (!spec.parts.empty()) {
    return launch + Composed(spec.parts, 0, shape.collective, shape.ranks, m, slices, topology);
  }
  return launch + Flat(spec.name, shape.collective, shape.ranks, spec.radix, m, slices,
                       LinkOf(topology, topology.levels.size() - 1));
}

}  // namespace ccl
