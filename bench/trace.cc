#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "bench/commands.h"
#include "ccl/base/status.h"
#include "ccl/dumps.h"

namespace ccl {
namespace {

struct TraceOptions {
  std::string collective, fabric = "cloudmatrix384", size = "1MiB", algorithm, type = "float";
  std::string trace, ports, flows;
  int ranks = 0, root = 0, top = 5;
  std::vector<std::string> sets, events;
  std::string engine;
};

// Ports alike.
struct Kind {
  std::string name;
  uint64_t ports = 0, used = 0, bytes = 0, most_waiting = 0;
  double busy = 0, busiest = 0;
};

std::vector<Kind> KindsOf(const std::vector<PortRecord>& ports) {
  std::vector<Kind> kinds;
  for (const PortRecord& port : ports) {
    auto kind = std::find_if(kinds.begin(), kinds.end(),
                             [&](const Kind& k) { return k.name == port.kind; });
    if (kind == kinds.end()) kind = kinds.insert(kinds.end(), Kind{port.kind});
    ++kind->ports;
    kind->used += port.bytes > 0 ? 1 : 0;
    kind->bytes += port.bytes;
    kind->busy += port.busy;
    kind->busiest = std::max(kind->busiest, port.busy);
    kind->most_waiting = std::max(kind->most_waiting, port.most_waiting);
  }
  return kinds;
}

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

std::string PortsCsv(const std::vector<PortRecord>& ports) {
  std::string text =
      "port,kind,bandwidth_Bps,bytes,passages,busy_fraction,mean_waiting_bytes,most_waiting_bytes\n";
  for (const PortRecord& p : ports) {
    absl::StrAppend(&text, Quoted(p.name), ",", Quoted(p.kind), ",",
                    absl::StrFormat("%.0f,%u,%u,%.6f,%.1f,%u\n", p.bandwidth, p.bytes, p.passages,
                                    p.busy, p.mean_waiting, p.most_waiting));
  }
  return text;
}

std::string FlowsCsv(absl::Span<const FlowRecord> flows) {
  std::string text =
      "src,dst,kind,bytes,send_posted_ps,recv_posted_ps,sent_ps,delivered_ps,done_ps,latency_ps,"
      "serialisation_ps\n";
  for (const FlowRecord& f : flows) {
    absl::StrAppend(&text, f.src, ",", f.dst, ",", f.local ? "local" : "message", ",", f.bytes, ",",
                    f.send_posted, ",", f.recv_posted, ",", f.sent, ",", f.delivered, ",");
    absl::StrAppend(&text, f.done, ",", f.latency, ",", f.serialisation, "\n");
  }
  return text;
}

void Print(const std::vector<PortRecord>& ports, int top) {
  std::printf("\n  %-24s %7s %7s %16s %10s %10s %14s\n", "ports", "count", "used", "bytes",
              "busy mean", "busy most", "waiting most");
  const Kind* narrowest = nullptr;
  const std::vector<Kind> kinds = KindsOf(ports);
  for (const Kind& kind : kinds) {
    std::printf("  %-24s %7lu %7lu %16lu %8.1f %% %8.1f %% %12lu B\n", kind.name.c_str(),
                static_cast<unsigned long>(kind.ports), static_cast<unsigned long>(kind.used),
                static_cast<unsigned long>(kind.bytes),
                100 * kind.busy / static_cast<double>(kind.ports), 100 * kind.busiest,
                static_cast<unsigned long>(kind.most_waiting));
    if (narrowest == nullptr || kind.busiest > narrowest->busiest) narrowest = &kind;
  }
  std::vector<size_t> order(ports.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t shown = std::min(ports.size(), static_cast<size_t>(std::max(0, top)));
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(shown), order.end(),
                    [&](size_t a, size_t b) {
                      return ports[a].busy != ports[b].busy ? ports[a].busy > ports[b].busy : a < b;
                    });
  if (shown > 0) {
    std::printf("\n  %-32s %16s %9s %10s %16s\n", "the busiest", "bytes", "passages", "busy",
                "waiting mean");
  }
  for (size_t i = 0; i < shown; ++i) {
    const PortRecord& p = ports[order[i]];
    std::printf("  %-32s %16lu %9lu %8.1f %% %14.0f B\n", p.name.c_str(),
                static_cast<unsigned long>(p.bytes), static_cast<unsigned long>(p.passages),
                100 * p.busy, p.mean_waiting);
  }
  if (narrowest != nullptr) {
    std::printf("\nIn words: the narrowest place is %s, where the busiest of %lu ports carries bytes "
                "%.1f %% of the time.\n",
                narrowest->name.c_str(), static_cast<unsigned long>(narrowest->ports),
                100 * narrowest->busiest);
  }
}

absl::StatusOr<int> Trace(const TraceOptions& o) {
  Trial trial;
  CCL_RETURN_IF_ERROR(SetCollective(o.collective, trial));
  CCL_ASSIGN_OR_RETURN(trial.type, ParseDataType(o.type));
  CCL_ASSIGN_OR_RETURN(const uint64_t size, ParseSize(o.size));
  Options options;
  options.backend = FabricUrl(o.fabric, o.engine, o.sets, o.events);
  if (!o.trace.empty()) {
    absl::StrAppend(&options.backend, options.backend.find('?') == std::string::npos ? "?" : "&",
                    "trace=", o.trace);
  }
  options.phantom = true;
  CCL_ASSIGN_OR_RETURN(std::unique_ptr<Job> job, Job::Open(options, o.ranks));
  Engine& engine = job->world().engine();
  trial.root = o.root;
  trial.algorithm = o.algorithm;
  trial.count = CountOf(trial, SizesOf(trial, {size}).front(), job->ranks(), true);
  engine.RecordPorts();
  if (!o.flows.empty()) engine.RecordFlows();
  CCL_ASSIGN_OR_RETURN(const Outcome outcome, job->Run(trial));
  const std::vector<PortRecord> ports = engine.ports();
  std::printf("%s of %lu bytes by %s on %s, %d ranks, engine %s: %.3f us\n",
              CollectiveName(trial).c_str(),
              static_cast<unsigned long>(SizeColumn(trial, trial.count, job->ranks())),
              outcome.algorithm.c_str(), o.fabric.c_str(), job->ranks(),
              std::string(engine.fabric_engine()).c_str(), outcome.seconds * 1e6);
  Print(ports, o.top);
  if (!o.ports.empty()) CCL_RETURN_IF_ERROR(WriteFile(o.ports, PortsCsv(ports)));
  if (!o.flows.empty()) CCL_RETURN_IF_ERROR(WriteFile(o.flows, FlowsCsv(engine.flows())));
  return 0;
}

}  // namespace

void AddTrace(CLI::App& app, Command& run) {
  auto o = std::make_shared<TraceOptions>();
  CLI::App* sub = app.add_subcommand("trace", "What passes the ports of a fabric, for one request");
  sub->add_option("collective", o->collective, "allreduce, allgather, ..., sendrecv")->required();
  sub->add_option("--fabric", o->fabric, "preset or file")->capture_default_str();
  sub->add_option("--ranks", o->ranks, "endpoints; default: the fabric's");
  sub->add_option("--size", o->size, "bytes of the larger buffer")->capture_default_str();
  sub->add_option("--algorithm", o->algorithm, "force an algorithm");
  sub->add_option("-d,--datatype", o->type, "element type")->capture_default_str();
  sub->add_option("-r,--root", o->root, "root");
  sub->add_option("--set", o->sets, "KEY=VALUE of the fabric");
  sub->add_option("--event", o->events, "what happens to it, e.g. at=20us,endpoint=3,down");
  sub->add_option("--engine", o->engine, "how messages share ports: fifo (default), fluid, packet");
  sub->add_option("--top", o->top, "print so many of the busiest ports")->capture_default_str();
  sub->add_option("--trace", o->trace, "write a timeline for ui.perfetto.dev to a file");
  sub->add_option("--ports", o->ports, "write every port's sums to a file, as CSV");
  sub->add_option("--flows", o->flows, "write every message's times to a file, as CSV");
  sub->callback([o, &run] {
    run = [o] {
      auto status = Trace(*o);
      return status.ok() ? *status : Fail(status.status());
    };
  });
}

}  // namespace ccl
