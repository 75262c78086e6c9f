#include "bench/scale_cases.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"

namespace ccl {
namespace {

constexpr uint64_t kBytes = uint64_t{64} << 20;
// Tiers that groups and routes are made of, and no uplink that could be full.
constexpr char kOneSwitch[] =
    "&set=leaf.uplinks=1&set=leaf.routing=spray&set=leaf.uplink_bandwidth=0 B/s";
constexpr char kOneSwitchOfPods[] =
    "&set=pod.uplinks=1&set=pod.routing=spray&set=pod.uplink_bandwidth=0 B/s";

int64_t MessagesOf(const Program& program) {
  int64_t messages = 0;
  StepList list;
  for (uint32_t lane = 0; lane < program.info().lanes; ++lane) {
    for (uint32_t batch = 0; batch < program.batches(0, lane); ++batch) {
      list.Clear();
      program.Fetch(0, lane, batch, list);
      for (const Step& step : list.steps) messages += step.kind == StepKind::kSend ? 1 : 0;
    }
  }
  return messages * program.info().ranks;  // in all cases, what rank 0 sends everybody sends
}

// Everybody to everybody at once, half to one and a half of the mean; an eighth of the receivers get
// four times as much, as the popular experts of a mixture do.
absl::StatusOr<ScaleRun> RunSkewed(const ScaleCase& c, World& world) {
  const int n = c.ranks;
  std::vector<std::unique_ptr<Communicator>> communicators;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Stream*> pointers;
  std::vector<std::unique_ptr<Work>> work;
  const uint64_t mean = c.bytes / static_cast<uint64_t>(n);
  const auto bytes = [&](int src, int dst) {
    const uint64_t pair = static_cast<uint64_t>(src) * static_cast<uint64_t>(n) + static_cast<uint64_t>(dst);
    const uint64_t hash = (pair + 1) * 0x9e3779b97f4a7c15u >> 33;
    const uint64_t size = mean / 2 + hash % (mean + 1);
    return dst % 8 == 3 ? 4 * size : size;
  };
  for (int rank = 0; rank < n; ++rank) {
    CCL_ASSIGN_OR_RETURN(auto communicator, Communicator::Create(
        std::shared_ptr<World>(&world, [](World*) {}), rank));
    std::vector<Exchange::Message> messages;
    for (int t = 1; t < n; ++t) {
      const int to = (rank + t) % n, from = (rank + n - t) % n;
      messages.push_back({true, to, nullptr, bytes(rank, to), 0});
      messages.push_back({false, from, nullptr, bytes(from, rank), 0});
    }
    pointers.push_back(communicator->stream());
    work.push_back(communicator->MakeExchange(std::move(messages)));
    communicators.push_back(std::move(communicator));
  }
  world.engine().Enqueue(pointers, std::move(work));
  CCL_RETURN_IF_ERROR(world.engine().Wait(pointers));
  return ScaleRun{int64_t{n} * (n - 1), world.engine().Now(), n};
}

}  // namespace

std::vector<ScaleCase> ScaleCases() {
  using C = Collective;
  std::vector<ScaleCase> cases;
  const auto add = [&](std::string name, std::string fabric, std::string backend, C collective,
                       std::string algorithm, int ranks, double target, bool peer = false) {
    cases.push_back({std::move(name), std::move(fabric), std::move(backend), collective,
                     std::move(algorithm), ranks, kBytes, target, peer});
  };
  for (const std::string fabric : {"crossbar", "fat-tree", "cloudmatrix384"}) {
    const bool twice = fabric == "cloudmatrix384";
    const double times = twice ? 2 : 1;
    // Whole runs: chunks of the ring differ by an element, and the others are told to.
    const std::string url = absl::StrCat("emulated:", fabric, "?ranks=384&fold=no");
    add("ring allreduce", fabric, url, C::kAllReduce, "ring", 384, times * 0.06, !twice);
    add("pairwise all-to-all", fabric, url, C::kAllToAll, "pairwise", 384, times * 0.04,
        !twice);
    add("direct all-to-all", fabric, url, C::kAllToAll, "direct", 384, times * 0.15, !twice);
    add("irregular all-to-all at once", fabric, url, C::kAllToAll, "", 384, times * 0.5);
  }
  for (const std::string fabric : {"crossbar", "fat-tree"}) {
    const bool one = fabric == "crossbar";
    const std::string two = absl::StrCat("emulated:fat-tree?ranks=16384", one ? kOneSwitch : "");
    const std::string three = absl::StrCat("emulated:fat-tree-3?ranks=65536&set=pod.group_size=1024",
                                           one ? kOneSwitch : "", one ? kOneSwitchOfPods : "");
    for (const bool folded : {false, true}) {
      const char* const how = folded ? ", folded" : "";
      const char* const whole = folded ? "" : "&fold=no";
      add(absl::StrCat("hierarchical allreduce", how), fabric, absl::StrCat(two, whole), C::kAllReduce,
          "hier(ring+ring)", 16384, folded ? 0.5 : 10);
      add(absl::StrCat("3-level all-to-all", how), fabric, absl::StrCat(three, whole), C::kAllToAll,
          "hier(pairwise+pairwise+pairwise)", 65536, folded ? 0.5 : 6);
    }
    const std::string url = absl::StrCat("emulated:", fabric, "?ranks=65536");
    add("halving/doubling allreduce", fabric, url, C::kAllReduce, "rabenseifner", 65536, 1.5);
    add("ring allreduce", fabric, url, C::kAllReduce, "ring", 65536, 0.5);
    add("pairwise all-to-all", fabric, url, C::kAllToAll, "pairwise", 65536, 0.5);
    add("direct all-to-all", fabric, url, C::kAllToAll, "direct", 65536, 0.5);
  }
  return cases;
}

uint64_t ScaleCount(const ScaleCase& c) {
  const uint64_t elements = c.bytes / SizeOf(DataType::kFloat32);
  return CountIsPerRank(c.collective) ? elements / static_cast<uint64_t>(c.ranks) : elements;
}

absl::StatusOr<ScaleRun> RunScaleCase(const ScaleCase& c) {
  Options options;
  options.backend = c.backend;
  options.phantom = true;
  if (c.algorithm.empty()) {
    CCL_ASSIGN_OR_RETURN(std::shared_ptr<World> world, World::Open(options, c.ranks));
    return RunSkewed(c, *world);
  }
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Job> job, Job::Open(options, c.ranks));
  Trial trial;
  trial.collective = c.collective;
  trial.algorithm = c.algorithm;
  trial.check = false;
  trial.count = ScaleCount(c);
  CCL_ASSIGN_OR_RETURN(Outcome outcome, job->Run(trial));
  CCL_ASSIGN_OR_RETURN(auto plan, job->world().planner().Choose(
      c.collective, trial.count * SizeOf(trial.type) *
                        (CountIsPerRank(c.collective) ? static_cast<uint64_t>(c.ranks) : 1),
      0, c.algorithm));
  return ScaleRun{MessagesOf(*plan->program), job->world().engine().Now(), outcome.actors.ranks};
}

}  // namespace ccl
