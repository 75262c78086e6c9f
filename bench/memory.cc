// cclbench explain --memory: what one process of a large job holds, without the others.
#include "bench/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/commands.h"
#include "bench/heap.h"
#include "bench/pattern.h"
#include "ccl/base/status.h"
#include "ccl/communicator.h"
#include "transports/host_topology.h"
#include "transports/shm/endpoint.h"
#include "transports/tcp/handshake.h"
#include "transports/tcp/links.h"

namespace ccl {
namespace {

// One rank alone. Everything that it posts is complete at once, and moves nothing.
class Alone final : public Backend {
 public:
  Alone(Topology topology, int rank) : topology_(std::move(topology)), rank_(rank) {}

  absl::string_view name() const override { return "alone"; }
  int ranks() const override { return topology_.ranks; }
  absl::Span<const int> local_ranks() const override { return {&rank_, 1}; }
  const Topology& topology() const override { return topology_; }
  Abilities abilities() const override {
    return {.group_operations = true, .contexts = 1 << 19, .channels = 1 << 12};
  }
  Time Now() const override { return ++now_; }
  void Post(int, absl::Span<const Operation> operations) override {
    for (const Operation& operation : operations) {
      ready_.push_back({rank_, operation.token});
      if (operation.group.ranks.empty()) {
        peers_.insert(operation.peer);
      } else {
        peers_.insert(operation.group.ranks.begin(), operation.group.ranks.end());
      }
    }
    operations_ += operations.size();
  }
  absl::Status Poll(Waiting, std::vector<Completion>& done) override {
    most_ = std::max(most_, HeapInUse());
    done.insert(done.end(), ready_.begin(), ready_.end());
    ready_.clear();
    return absl::OkStatus();
  }
  absl::Status ShareFromRankZero(std::string&) override { return absl::OkStatus(); }
  absl::Status Agree(const absl::Status& own) override { return own; }

  int peers() const { return static_cast<int>(peers_.size()) - static_cast<int>(peers_.count(rank_)); }
  uint64_t operations() const { return operations_; }
  int64_t most() const { return most_; }  // bytes of the heap while something was under way

 private:
  const Topology topology_;
  const int rank_;
  mutable Time now_ = 0;
  std::vector<Completion> ready_;
  std::set<int> peers_;
  uint64_t operations_ = 0;
  int64_t most_ = 0;
};

// With four times the ranks, what grows as they do is four times as large, what grows with their square
// sixteen times. What is less than so little is noise.
constexpr double kSteep = 6;
constexpr int64_t kLittle = 16 << 10;

// What `make` leaves on the heap. It is freed when the result is.
template <typename T>
std::pair<T, int64_t> Weigh(const std::function<T()>& make) {
  const int64_t before = HeapInUse();
  std::pair<T, int64_t> made{make(), 0};
  made.second = HeapInUse() - before;
  return made;
}

std::vector<Location> LocationsOf(const MemoryQuestion& q) {
  std::vector<Location> locations(static_cast<size_t>(q.ranks));
  for (int rank = 0; rank < q.ranks; ++rank) locations[static_cast<size_t>(rank)].host = rank / q.per_host;
  return locations;
}

// The call of a rank in the middle, which has neighbours on all sides.
absl::Status WeighLibrary(const MemoryQuestion& q, MemoryAnswer& answer) {
  const int rank = q.ranks / 2;
  const std::vector<Location> locations = LocationsOf(q);
  const auto topology = Weigh<std::unique_ptr<Topology>>(
      [&] { return std::make_unique<Topology>(HostTopology(locations, 1)); });
  answer.library.push_back({"topology", topology.second});
  auto made = std::make_unique<Alone>(*topology.first, rank);
  Alone* const backend = made.get();
  Topology seen = backend->topology();
  Options options;
  options.progress_thread = false;
  const auto world = Weigh<std::shared_ptr<World>>(
      [&] { return World::Over(std::move(made), std::move(seen), options, {}); });
  answer.library.push_back({"world: engine, planner", world.second});
  auto communicator = Weigh<absl::StatusOr<std::unique_ptr<Communicator>>>(
      [&] { return Communicator::Create(world.first, rank); });
  CCL_RETURN_IF_ERROR(communicator.first.status());
  answer.library.push_back({"communicator", communicator.second});

  Request request{q.collective, q.type, ReduceOp::kSum, 0, q.root};
  const uint64_t elements = std::max<uint64_t>(1, q.size / SizeOf(q.type)), n = static_cast<uint64_t>(q.ranks);
  request.count = CountIsPerRank(q.collective) ? std::max<uint64_t>(1, elements / n) : elements;
  const uint64_t bytes = request.count * (CountIsPerRank(q.collective) ? n : 1) * SizeOf(q.type);
  const std::unique_ptr<char[]> in(new char[bytes]()), out(new char[bytes]());
  request.in = in.get();
  request.out = out.get();
  request.blocks = BlocksFor(q.collective, request.count, q.ranks, q.root, rank);
  CCL_RETURN_IF_ERROR((*communicator.first)->Validate(request));
  const auto plan = Weigh<absl::StatusOr<std::shared_ptr<const Plan>>>(
      [&] { return (*communicator.first)->PlanFor(request, q.algorithm); });
  CCL_RETURN_IF_ERROR(plan.first.status());
  answer.plan = (*plan.first)->Explain();
  answer.library.push_back({"plan: the choice, its program", plan.second});
  const int64_t before = HeapInUse();
  CCL_RETURN_IF_ERROR((*communicator.first)->Run(request, q.algorithm));
  CCL_RETURN_IF_ERROR((*communicator.first)->Synchronize());
  answer.library.push_back({"call: cursor, lanes, scratch", std::max(backend->most(), HeapInUse()) - before});
  answer.peers = backend->peers();
  answer.operations = backend->operations();
  return absl::OkStatus();
}

absl::Status WeighTransports(const MemoryQuestion& q, MemoryAnswer& answer) {
  const int here = std::min(q.per_host, q.ranks);
  std::vector<int> ranks(static_cast<size_t>(here));
  std::iota(ranks.begin(), ranks.end(), 0);
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<shm::Segment> segment, shm::Segment::Create(shm::Layout::Bytes(here)));
  std::byte* const memory = segment->data();
  answer.shared = segment->bytes();
  // `crowded`: waits for nobody.
  const auto endpoint = Weigh<std::unique_ptr<shm::Endpoint>>([&] {
    return std::make_unique<shm::Endpoint>(std::move(segment), ranks, 0, q.ranks, true, nullptr);
  });
  std::vector<unsigned char> pages((answer.shared + 4095) / 4096);
  if (mincore(memory, answer.shared, pages.data()) == 0) {
    answer.populated = 4096 * static_cast<uint64_t>(std::count_if(
                                  pages.begin(), pages.end(), [](unsigned char page) { return page & 1; }));
  }
  answer.transports.push_back({"mpi: beside MPI's own", endpoint.second});

  constexpr int kConnections = 2;  // the standard, of ranks on different hosts
  const auto table = Weigh<std::vector<tcp::Announcement>>(
      [&] { return std::vector<tcp::Announcement>(static_cast<size_t>(q.ranks)); });
  const auto links = Weigh<std::unique_ptr<tcp::Links>>([&] {
    std::vector<std::vector<int>> sockets(static_cast<size_t>(q.ranks));
    for (int peer = 1; peer < q.ranks; ++peer) {
      sockets[static_cast<size_t>(peer)].assign(peer < here ? 1 : kConnections, -1);
    }
    for (const std::vector<int>& of_one : sockets) answer.sockets += static_cast<int>(of_one.size());
    std::vector<std::string> names(static_cast<size_t>(q.ranks), "process 12345 on a-host-of-many");
    return std::make_unique<tcp::Links>(0, std::move(sockets), std::move(names), std::chrono::seconds(60));
  });
  answer.transports.push_back({"tcp: beside sockets", endpoint.second + table.second + links.second});
  return absl::OkStatus();
}

int64_t Sum(const std::vector<MemoryPart>& parts) {
  int64_t sum = 0;
  for (const MemoryPart& part : parts) sum += part.bytes;
  return sum;
}

}  // namespace

absl::StatusOr<MemoryAnswer> MemoryOf(const MemoryQuestion& q) {
  if (q.ranks < 2 || q.per_host < 1) return absl::InvalidArgumentError("--memory needs --ranks, 2 at least");
  MemoryAnswer answer;
  CCL_RETURN_IF_ERROR(WeighLibrary(q, answer));
  CCL_RETURN_IF_ERROR(WeighTransports(q, answer));
  return answer;
}

absl::Status PrintMemory(const MemoryQuestion& q) {
  CCL_ASSIGN_OR_RETURN(const MemoryAnswer now, MemoryOf(q));
  MemoryQuestion quarter = q;
  quarter.ranks = std::max(2, q.ranks / 4);
  CCL_ASSIGN_OR_RETURN(const MemoryAnswer then, MemoryOf(quarter));
  std::printf("Request    %s of %lu bytes on %d ranks, %d on each host\n", std::string(Name(q.collective)).c_str(),
              static_cast<unsigned long>(q.size), q.ranks, q.per_host);
  std::printf("\nPlan       %s", now.plan.c_str());
  std::printf("\nCall       %lu operations with %d other ranks\n", static_cast<unsigned long>(now.operations),
              now.peers);
  std::printf("\nMemory     of one process, in bytes of its heap as the allocator counts them\n  %-32s %12s %12s %12s\n",
              "part", absl::StrCat("at ", quarter.ranks).c_str(), absl::StrCat("at ", q.ranks).c_str(), "a rank more");
  std::string steep;  // what grows faster than the ranks
  const auto line = [&](const std::string& name, int64_t before, int64_t bytes) {
    std::printf("  %-32s %12ld %12ld %12.1f\n", name.c_str(), static_cast<long>(before), static_cast<long>(bytes),
                static_cast<double>(bytes - before) / std::max(1, q.ranks - quarter.ranks));
    if (static_cast<double>(bytes) > kSteep * static_cast<double>(std::max(before, kLittle))) {
      absl::StrAppend(&steep, steep.empty() ? "" : ", ", name);
    }
  };
  for (size_t i = 0; i < now.library.size(); ++i) {
    line(now.library[i].name, then.library[i].bytes, now.library[i].bytes);
  }
  for (size_t i = 0; i < now.transports.size(); ++i) {
    line(now.transports[i].name, then.transports[i].bytes, now.transports[i].bytes);
  }
  for (size_t i = 0; i < now.transports.size(); ++i) {
    const std::string& name = now.transports[i].name;
    line(absl::StrCat("in all, ", name.substr(0, name.find(':') + 1)),
         Sum(then.library) + then.transports[i].bytes, Sum(now.library) + now.transports[i].bytes);
  }
  std::printf("%s%s\n", steep.empty() ? "Nothing here grows faster than the ranks." : "GROWS FASTER THAN THE RANKS: ",
              steep.c_str());
  std::printf("\nA host's shared memory: %lu bytes of addresses, %lu of memory before any message; a ring for each\n"
              "of %d x %d pairs of its ranks, none for ranks elsewhere.\n",
              static_cast<unsigned long>(now.shared), static_cast<unsigned long>(now.populated),
              std::min(q.per_host, q.ranks), std::min(q.per_host, q.ranks));
  std::printf("Of the system, beside this: %d sockets with tcp:, which connects all ranks when they meet; with mpi:\n"
              "what MPI holds.\n", now.sockets);
  return absl::OkStatus();
}

}  // namespace ccl
