#include "ccl/plan/cost.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <vector>

#include "ccl/topology/measured_times.h"

namespace ccl {
namespace {

constexpr double kSecond = 1e12;

// Picoseconds a message, and a byte; of many messages that share a rank's ports, a byte of them all.
struct Way {
  double alpha, beta, port_beta;
  double most = std::numeric_limits<double>::infinity();  // bytes of a message that may take it
};

// One level seen from a rank.
struct Link {
  std::vector<Way> ways;  // of its protocols
  Way bare;               // of what no protocol takes
  double gamma, overhead;
  double group_alpha, group_beta;  // of a group operation; beta 0: they are lowered to messages
  bool group_to_all, group_by_members, group_together;

  // For messages of so many bytes: the way that is fastest for one alone.
  const Way& At(double bytes) const {
    const Way* best = nullptr;
    for (const Way& way : ways) {
      if (bytes > way.most) continue;
      const bool faster = best == nullptr ||
                          way.alpha + bytes * way.beta < best->alpha + bytes * best->beta;
      if (faster) best = &way;
    }
    return best == nullptr ? bare : *best;
  }
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
  const double alpha =
      static_cast<double>(level.latency + topology.send_overhead + topology.recv_overhead);
  const double port = level.port_bandwidth > 0 ? level.port_bandwidth : level.bandwidth;
  // Messages of all members of an inner group share its uplink.
  double share = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < index; ++i) {
    const Level& inner = topology.levels[i];
    if (inner.group_uplink == 0) continue;
    share = std::min(share, inner.group_uplink / inner.grouping.SmallestSize());
  }
  for (const Protocol& p : level.protocols) {
    link.ways.push_back({alpha + static_cast<double>(p.overhead),
                         kSecond / std::min(p.bandwidth, p.efficiency * share),
                         kSecond / (p.efficiency * std::min(port, share)),
                         static_cast<double>(p.max_bytes)});
  }
  link.bare = {alpha, kSecond / std::min(level.bandwidth, share), kSecond / std::min(port, share)};
  link.group_alpha = alpha + static_cast<double>(level.group_overhead);
  link.group_to_all = level.group_to_all;
  link.group_by_members = level.group_by_members;
  link.group_together = level.group_together;
  link.group_beta = level.group_bandwidth > 0 ? kSecond / level.group_bandwidth : 0;
  link.gamma = topology.reduce_bandwidth > 0 ? kSecond / topology.reduce_bandwidth : 0;
  return link;
}

// m: bytes of the larger buffer. The formulas stand in docs/algorithms.md.
double Flat(absl::string_view name, Collective collective, int n, uint32_t radix, double m,
            double slices, const Link& l) {
  if (n == 1) return 0;
  const double g = l.gamma;
  const double block = m / n;
  const double log = CeilLog(n, 2);
  const bool all = collective == Collective::kAllReduce;
  const bool reduces = Reduces(collective);
  const double halves = all ? 2 : 1;
  const double volume = (n - 1) * block;
  const double fold = reduces ? volume * g : 0;
  // A message of so many bytes, where a formula needs no more than that.
  const auto message = [&](double bytes) {
    const Way& way = l.At(bytes);
    return way.alpha + bytes * way.beta;
  };
  if (name == "ring") {
    const Way& way = l.At(block / slices);
    const double a = way.alpha, x = block * way.beta / slices, rounds = halves * (n - 1);
    return std::max(rounds * (a + x) + (slices - 1) * x, rounds * slices * x + a) + fold;
  }
  if (name == "biring") {
    const Way& way = l.At(block);
    // The last block's second message meets the first.
    const double meet = reduces && n > 2 ? way.alpha : 0;
    return halves * std::ceil((n - 1) / 2.0) * (way.alpha + 2 * block * way.beta) + meet + fold;
  }
  const int power = static_cast<int>(std::bit_floor(static_cast<unsigned>(n)));
  const double steps = std::log2(power), extra = n > power ? 2 : 0;
  // Messages of different sizes pay what one of their mean size does.
  const auto rounds = [&](double count, double bytes) {
    const Way& way = l.At(bytes / count);
    return count * way.alpha + bytes * way.beta;
  };
  if (name == "nhr") return halves * rounds(log, volume) + fold;
  if (name == "recursive_doubling") {
    if (Scans(collective)) return log * (message(m) + m * g);
    if (!all) return rounds(steps, volume);
    return (steps + extra) * message(m) + steps * m * g;
  }
  if (name == "rabenseifner") {
    return 2 * rounds(steps, (power - 1) * m / power) + extra * message(m) + fold;
  }
  if (name == "double_binary_tree") {
    const double tail = (slices - 1) * m / slices * l.At(m / slices).beta;
    return halves * (log * message(m / slices) + tail) + (reduces ? log * m * g : 0);
  }
  if (name == "knomial") {
    const int k = radix == 0 ? 2 : static_cast<int>(radix);
    const double levels = CeilLog(n, k);
    if (collective == Collective::kGather || collective == Collective::kScatter) {
      return rounds(levels, volume);
    }
    const double pieces = levels * (k - 1);
    const Way& way = l.At(m);
    return halves * (levels * way.alpha + pieces * m * way.beta) + (reduces ? pieces * m * g : 0);
  }
  if (name == "chain") {
    return halves * (n - 2 + slices) * message(m / slices) + (reduces ? m * g : 0);
  }
  // Many messages at once: each as fast as a message can be, all as fast as the ports.
  const auto spread = [&](double bytes) {
    const Way& way = l.At(bytes / (n - 1));
    return way.alpha + std::max(bytes / (n - 1) * way.beta, bytes * way.port_beta);
  };
  if (name == "one_shot") return spread((n - 1) * m) + (n - 1) * (l.overhead + m * g);
  if (name == "two_shot") return 2 * (spread(volume) + (n - 2) * l.overhead) + fold;
  if (l.group_beta > 0 && l.group_by_members) {
    // What members contribute they write into shared memory once; of it they read what they want.
    const double a = l.group_alpha, b = l.group_beta;
    if (name == "group_one_shot" && all && reduces && l.group_together) return a + 2 * m * b + m * g;
    if (name == "group_one_shot") return a + m * b + (reduces ? n * m * g : 0);
    if (name == "group_direct") return a + volume * b + (reduces ? m * g : 0);
    if (name == "group_two_shot") return 2 * a * slices + (volume + m) * b + m * g;
  }
  if (l.group_beta > 0 && !l.group_by_members) {
    const double a = l.group_alpha, b = l.group_beta;
    if (name == "group_one_shot" && (!all || l.group_to_all)) return a + m * b;
    // Of a slice, the copies follow the reductions, but for a rank's own block; of different slices
    // they share the ports, an operand of the one being n times as long as that of the other.
    if (name == "group_two_shot") {
      const double x = m / slices * b;
      return 2 * (a + x) - x / n + (slices - 1) * (a + x + x / n);
    }
    if (name == "group_direct") return a + (reduces ? m : volume) * b;
  }
  if (name == "group_one_shot" || name == "direct" || name == "group_direct" ||
      name == "group_two_shot") {
    const bool per_rank = CountIsPerRank(collective) || name == "group_two_shot";
    const double bytes = per_rank ? volume : (n - 1) * m;
    const double turns = name == "group_two_shot" ? 2 : 1;
    return turns * (spread(bytes) + (n - 2) * l.overhead) + (reduces ? bytes * g : 0);
  }
  if (name == "pairwise") return (n - 1) * message(block);
  if (name == "bruck") return log * message(m / 2);
  if (name == "dissemination") return log * message(0);
  return std::numeric_limits<double>::infinity();  // no formula: never chosen, only forced
}

double Composed(const std::vector<AlgorithmSpec>& parts, size_t part, Collective collective, int n,
                double m, double slices, const Topology& topology) {
  const size_t level = std::min(part, topology.levels.size() - 1);
  const bool last = part + 1 == parts.size();
  const Link link = LinkOf(topology, last ? topology.levels.size() - 1 : level);
  const AlgorithmSpec& spec = parts[part];
  if (last) return Flat(spec.name, collective, n, spec.radix, m, 1, link);
  const Level& grouped = topology.levels[level];
  const int below = level == 0 ? 1 : topology.levels[level - 1].grouping.size(0);
  const int g = std::max(1, grouped.grouping.size(0) / below);
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
  // Of several slices stages go on beside each other; those that are a rank's own work do not.
  const bool works[] = {grouped.group_by_members, topology.levels.back().group_by_members, grouped.group_by_members};
  double sum = 0, work = 0, longest = 0;
  for (size_t i = 0; i < std::size(stages); ++i) {
    sum += stages[i];
    if (works[i]) {
      work += stages[i];
    } else {
      longest = std::max(longest, stages[i]);
    }
  }
  return sum + (slices - 1) * std::max(work, longest);
}

// Null when it was not measured.
const MeasuredTimes::Curve* CurveOf(const AlgorithmSpec& spec, Collective collective, const Topology& topology) {
  if (topology.measured == nullptr) return nullptr;
  return topology.measured->Find(EvenForm(collective), Format(spec));
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
  const double formula = PredictByFormula(spec, shape, bytes, topology);
  const MeasuredTimes::Curve* const curve = CurveOf(spec, shape.collective, topology);
  if (curve == nullptr) return formula;
  const MeasuredTimes::Point& last = curve->back();
  if (bytes <= last.bytes) return TimeAt(*curve, bytes);
  // Above what was measured the formula says how time grows; without one it grows as the bytes do.
  const double growth = std::isfinite(formula)
                            ? formula / std::max(PredictByFormula(spec, shape, last.bytes, topology), 1.0)
                            : static_cast<double>(bytes) / static_cast<double>(std::max<uint64_t>(last.bytes, 1));
  return static_cast<double>(last.time) * growth;
}

bool WasMeasured(const AlgorithmSpec& spec, Collective collective, const Topology& topology) {
  return CurveOf(spec, collective, topology) != nullptr;
}

double PredictByFormula(const AlgorithmSpec& spec, const Shape& shape, uint64_t bytes, const Topology& topology) {
  const double m = static_cast<double>(bytes), slices = spec.slices;
  const Collective collective = EvenForm(shape.collective);
  const double launch = static_cast<double>(topology.LaunchTime(shape.collective, bytes, shape.ranks));
  if (!spec.parts.empty()) {
    return launch + Composed(spec.parts, 0, collective, shape.ranks, m, slices, topology);
  }
  return launch + Flat(spec.name, collective, shape.ranks, spec.radix, m, slices,
                       LinkOf(topology, topology.levels.size() - 1));
}

double PredictExchange(absl::Span<const PeerMessage> messages, int rank, const Topology& topology) {
  double slowest = 0, latency = 0, sent = 0, received = 0;
  for (const PeerMessage& message : messages) {
    if (message.peer == rank) continue;
    const Link link = LinkOf(topology, static_cast<size_t>(topology.LevelIndexOf(rank, message.peer)));
    const double bytes = static_cast<double>(message.bytes);
    const Way& way = link.At(bytes);
    slowest = std::max(slowest, way.alpha + bytes * way.beta);
    latency = std::max(latency, way.alpha);
    (message.sends ? sent : received) += bytes * way.port_beta;
  }
  return static_cast<double>(topology.launch_overhead) +
         std::max(slowest, latency + std::max(sent, received));
}

}  // namespace ccl
