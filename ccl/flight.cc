// What a communicator's last operations were, as JSON: see docs in ccl.h, cclCommDumpFlight.
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ccl/communicator.h"

namespace ccl {
namespace {

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<int>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string RecordJson(const FlightRecord& r, absl::string_view waits) {
  const char* state = r.ended >= 0 ? "completed" : r.started >= 0 ? "started" : "queued";
  std::string text = absl::StrCat("{\"number\": ", r.number, ", \"sequence\": ", r.sequence);
  if (r.sequence == 0) {
    absl::StrAppend(&text, ", \"operation\": ", Quoted(r.name), ", \"bytes\": ", r.count, ", \"peer\": ", r.root);
  } else {
    absl::StrAppend(&text, ", \"operation\": ", Quoted(Name(r.collective)), ", \"count\": ", r.count,
                    ", \"type\": ", Quoted(Name(r.type)), ", \"op\": ", Quoted(Name(r.op)), ", \"root\": ",
                    r.root, ", \"algorithm\": ", Quoted(*r.algorithm), ", \"predicted_ps\": ", r.predicted, ", \"tag\": ", r.tag);
  }
  absl::StrAppendFormat(&text, ", \"send\": \"%p\", \"receive\": \"%p\", \"state\": \"%s\"", r.in, r.out, state);
  absl::StrAppend(&text, ", \"started_ps\": ", r.started, ", \"ended_ps\": ", r.ended);
  if (!waits.empty()) absl::StrAppend(&text, ", \"waits\": ", Quoted(waits));
  return text + "}";
}

}  // namespace

std::string Communicator::FlightJson(absl::string_view why) {
  std::string text;
  world().engine().Look([&](Time now, const absl::Status& failed) {
    text = FlightJson(why, now, failed.ok() ? scope_->error.status() : failed);
  });
  return text;
}

std::string Communicator::FlightJson(absl::string_view why, Time now, const absl::Status& failed) {
  std::string text = absl::StrCat(
      "{\"version\": 1, \"why\": ", Quoted(why), ", \"communicator\": ", Quoted(team_->options().name),
      ", \"context\": ", team_->control_context(), ", \"rank\": ", rank_, ", \"ranks\": ", ranks(),
      ", \"world_rank\": ", world_rank(), ", \"process\": ", getpid(), ", \"backend\": ",
      Quoted(world().engine().backend_name()), ", \"now_ps\": ", now, ", \"error\": ",
      Quoted(failed.message()), ",\n \"operations\": [");
  if (flight_ != nullptr) {
    const uint64_t last = flight_->added();
    const char* between = "\n  ";
    for (uint64_t n = last < FlightRing::kRecords ? 1 : last - FlightRing::kRecords + 1; n <= last; ++n) {
      const FlightRecord* record = flight_->Find(n);
      if (record == nullptr) continue;
      std::string waits;
      for (const Stream* stream : scope_->streams()) {
        if (!stream->queue.empty() && stream->running > 0 && stream->queue.front().flight_number() == n) {
          waits = stream->queue.front().Describe();
        }
      }
      absl::StrAppend(&text, between, RecordJson(*record, waits));
      between = ",\n  ";
    }
  }
  return text + "]}\n";
}

}  // namespace ccl
