// simgrid_peer: a schedule of ours on SimGrid's network, an actor a rank. Prints one line of JSON:
// {"messages","time_ps","cpu_s","rss_mb"}; cpu_s is that of actors and simulation, without making
// the schedule.
//
// A message completes at its sender when it has been delivered, which is later than with us by the
// latency: where routes differ in latency, senders that wait for a far one may be later.
//
// The network is exact by SimGrid's own switches: model CM02 without cross traffic and TCP's window.
// crossbar: 392 GB/s, 1 us between any two. fat-tree: 48 leaves of 8 and 8 spines, every link 392
// GB/s and 250 ns, the spine chosen by destination. flat-tree: a fat-tree whose links between switches
// take no time, so that all routes take 500 ns: this model shares a link in inverse proportion to the
// latency of the routes, and only then equally.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/base/status.h"
#include "ccl/exec/binding.h"
#include "simgrid/s4u.hpp"

namespace ccl {
namespace {

namespace sg = simgrid::s4u;

constexpr int kHosts = 384;

struct Options {
  std::string collective = "allreduce", algorithm = "ring", platform = "crossbar";
  int ranks = kHosts;
  uint64_t count = 0;
};

struct Transfer {
  sg::Mailbox* mailbox;
  double bytes;
  bool sends;
};
using Batch = std::vector<Transfer>;

// SimGrid reads platforms from files.
absl::Status LoadPlatform(sg::Engine& engine, const std::string& platform) {
  std::string attributes;
  if (platform == "crossbar") {
    attributes = "lat=\"500ns\" sharing_policy=\"SPLITDUPLEX\"";
  } else if (platform == "fat-tree" || platform == "flat-tree") {
    attributes = "lat=\"250ns\" sharing_policy=\"SPLITDUPLEX\" topology=\"FAT_TREE\" "
                 "topo_parameters=\"2;8,48;1,8;1,1\"";
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("no platform '", platform, "': crossbar, fat-tree or flat-tree"));
  }
  std::string path = std::filesystem::temp_directory_path() / "simgrid_peer_XXXXXX.xml";
  const int file = mkstemps(path.data(), 4);
  if (file < 0) return absl::UnavailableError(absl::StrCat("cannot write ", path));
  const std::string text = absl::StrCat(
      "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM "
      "\"https://simgrid.org/simgrid.dtd\">\n<platform version=\"4.1\">\n"
      "<cluster id=\"c\" prefix=\"n\" suffix=\"\" radical=\"0-", kHosts - 1,
      "\" speed=\"1Gf\" bw=\"392GBps\" ", attributes, "/>\n</platform>\n");
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(file);
  if (written) engine.load_platform(path);
  unlink(path.c_str());
  if (platform == "flat-tree") {
    for (sg::Link* link : engine.get_all_links()) {
      // link_from_A_B_...: nodes from kHosts on are switches.
      int from = 0;
      if (std::sscanf(link->get_cname(), "link_from_%d_", &from) == 1 && from >= kHosts) {
        link->set_latency(0);
      }
    }
  }
  return written ? absl::OkStatus() : absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::StatusOr<std::vector<std::vector<Batch>>> Batches(const Program& program,
                                                        const Request& request) {
  if (program.info().lanes != 1) {
    return absl::UnimplementedError(absl::StrCat(
        program.info().name, " has ", program.info().lanes, " lanes; an actor runs one"));
  }
  std::vector<std::vector<Batch>> ranks(program.info().ranks);
  StepList list;
  for (int rank = 0; rank < program.info().ranks; ++rank) {
    const Binding binding(program, rank, request);
    for (uint32_t b = 0; b < program.batches(rank, 0); ++b) {
      list.Clear();
      program.Fetch(rank, 0, b, list);
      Batch batch;
      for (const Step& step : list.steps) {
        const bool sends = step.kind == StepKind::kSend;
        if (!sends && step.kind != StepKind::kRecv && step.kind != StepKind::kRecvReduce) continue;
        const int from = sends ? rank : step.peer, to = sends ? step.peer : rank;
        batch.push_back({sg::Mailbox::by_name(absl::StrCat(from, "-", to, "-", step.channel)),
                         static_cast<double>(binding.Bytes(sends ? list.src(step) : list.dst(step))),
                         sends});
      }
      if (!batch.empty()) ranks[rank].push_back(std::move(batch));
    }
  }
  return ranks;
}

void RunRank(const std::vector<Batch>* batches) {
  static int payload;
  std::vector<void*> received;
  for (const Batch& batch : *batches) {
    received.resize(batch.size());
    std::vector<sg::CommPtr> under_way;
    under_way.reserve(batch.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      const Transfer& t = batch[i];
      under_way.push_back(t.sends
                              ? t.mailbox->put_async(&payload, static_cast<uint64_t>(t.bytes))
                              : t.mailbox->get_async<void>(&received[i]));
    }
    for (const sg::CommPtr& comm : under_way) comm->wait();
  }
}

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

absl::Status Run(const Options& o, sg::Engine& engine) {
  if (o.ranks < 1 || o.ranks > kHosts) {
    return absl::InvalidArgumentError(absl::StrCat("ranks are 1 to ", kHosts));
  }
  CCL_RETURN_IF_ERROR(LoadPlatform(engine, o.platform));
  CCL_ASSIGN_OR_RETURN(const Collective collective, ParseCollective(o.collective));
  CCL_ASSIGN_OR_RETURN(const AlgorithmSpec spec, ParseAlgorithm(o.algorithm));
  const Shape shape{collective, o.ranks, 0, 0, {}};
  CCL_ASSIGN_OR_RETURN(const std::shared_ptr<const Program> program, BuildProgram(spec, shape, true));
  Request request{collective, DataType::kFloat32, ReduceOp::kSum, o.count};
  request.phantom = true;
  CCL_ASSIGN_OR_RETURN(const auto ranks, Batches(*program, request));
  uint64_t messages = 0;
  for (const auto& batches : ranks) {
    for (const Batch& batch : batches) {
      for (const Transfer& transfer : batch) messages += transfer.sends ? 1 : 0;
    }
  }
  const double begin = CpuSeconds();
  for (int rank = 0; rank < o.ranks; ++rank) {
    sg::Actor::create(absl::StrCat("r", rank), engine.host_by_name(absl::StrCat("n", rank)), RunRank,
                      &ranks[rank]);
  }
  engine.run();
  const double cpu = CpuSeconds() - begin;
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"messages\":%lu,\"time_ps\":%.0f,\"cpu_s\":%.6f,\"rss_mb\":%.1f}\n",
              static_cast<unsigned long>(messages), sg::Engine::get_clock() * 1e12, cpu,
              static_cast<double>(usage.ru_maxrss) / 1024);
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Options o;
  CLI::App app("A schedule on SimGrid's network");
  app.add_option("--collective", o.collective, "allreduce, alltoall, ...")->capture_default_str();
  app.add_option("--algorithm", o.algorithm, "one with a single lane")->capture_default_str();
  app.add_option("--ranks", o.ranks, "up to 384")->capture_default_str();
  app.add_option("--count", o.count, "float32 elements, as the call takes it")->required();
  app.add_option("--platform", o.platform, "crossbar, fat-tree or flat-tree")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  // Settings are announced on standard error otherwise.
  char quiet[] = "--log=xbt_cfg.thres:warning";
  char* arguments[] = {argv[0], quiet, nullptr};
  int count = 2;
  sg::Engine engine(&count, arguments);
  for (const char* setting :
       {"network/model:CM02", "network/crosstraffic:0", "network/TCP-gamma:0",
        "surf/precision:1e-12", "contexts/factory:raw"}) {
    sg::Engine::set_config(setting);
  }
  const absl::Status status = Run(o, engine);
  if (!status.ok()) std::fprintf(stderr, "simgrid_peer: %s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace ccl

int main(int argc, char** argv) { return ccl::Main(argc, argv); }
