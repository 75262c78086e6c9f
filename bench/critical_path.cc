#include "bench/critical_path.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ccl {

CriticalPath FindCriticalPath(absl::Span<const FlowRecord> flows) {
  CriticalPath path;
  if (flows.empty()) return path;
  // Who ended what when: a flow completes at its sender and at its receiver.
  struct End {
    size_t flow;
    bool at_sender;
  };
  std::map<std::pair<int, Time>, End> ends;
  size_t last = 0;
  for (size_t i = 0; i < flows.size(); ++i) {
    const FlowRecord& flow = flows[i];
    // What takes no time is nobody's cause: it stands between two that do.
    if (flow.done > flow.start()) ends[{flow.dst, flow.done}] = {i, false};
    if (!flow.local && flow.sent > flow.start()) ends.try_emplace({flow.src, flow.sent}, End{i, true});
    if (flow.done > flows[last].done) last = i;
  }
  End end{last, false};
  path.last_rank = flows[last].dst;
  for (size_t hops = 0; hops <= 2 * flows.size(); ++hops) {
    const FlowRecord& flow = flows[end.flow];
    const Time begin = flow.start();
    if (flow.local) {
      path.local += flow.done - begin;
    } else if (end.at_sender) {
      const Time busy = std::min(flow.serialisation, flow.sent - begin);
      path.serialisation += busy;
      path.waiting += flow.sent - begin - busy;
      ++path.messages;
    } else {
      path.latency += flow.latency;
      path.serialisation += flow.serialisation;
      path.waiting += flow.delivered - begin - flow.latency - flow.serialisation;
      path.local += flow.done - flow.delivered;
      ++path.messages;
    }
    const int rank = flow.recv_posted > flow.send_posted ? flow.dst : flow.src;
    path.first_rank = rank;
    auto cause = ends.find({rank, begin});
    if (cause == ends.end() && flow.recv_posted == flow.send_posted) {
      cause = ends.find({flow.dst, begin});
    }
    if (cause == ends.end()) break;
    end = cause->second;
  }
  return path;
}

}  // namespace ccl
