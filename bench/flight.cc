// cclbench flight: what the dumps of several ranks say together.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/commands.h"
#include "ccl/base/status.h"
#include "nlohmann/json.hpp"

namespace ccl {
namespace {

struct Call {
  std::string text, state, waits, algorithm;
  int64_t predicted = -1, started = -1, ended = -1;  // ps
  uint64_t tag = 0;
};
struct Dump {
  int rank = 0, ranks = 0;
  std::string communicator, error, why;
  int64_t now = 0;                // ps
  std::map<uint64_t, Call> calls;  // collectives, by sequence
};

absl::StatusOr<Dump> Read(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read '", path, "'"));
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  const auto wrong = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is no dump of cclCommDumpFlight: ", what));
  };
  if (!json.is_object()) return wrong("it is no JSON object");
  try {
    Dump dump;
    if (json.at("version") != 1) return wrong("its version is not 1");
    dump.why = json.value("why", "");
    dump.now = json.value("now_ps", int64_t{0});
    dump.rank = json.at("rank");
    dump.ranks = json.at("ranks");
    dump.error = json.at("error");
    dump.communicator =
        absl::StrCat(json.at("communicator").get<std::string>(), "/", json.at("context").get<uint64_t>());
    for (const nlohmann::json& o : json.at("operations")) {
      const uint64_t sequence = o.at("sequence");
      if (sequence == 0) continue;
      Call call;
      call.text = absl::StrCat(o.at("operation").get<std::string>(), " #", sequence, " of ",
                               o.at("count").get<uint64_t>(), " ", o.at("type").get<std::string>(), ", ",
                               o.at("op").get<std::string>(), ", root ", o.at("root").get<int>());
      call.state = o.at("state");
      call.waits = o.value("waits", "");
      call.algorithm = o.value("algorithm", "");
      call.predicted = o.value("predicted_ps", int64_t{-1});
      call.started = o.value("started_ps", int64_t{-1});
      call.ended = o.value("ended_ps", int64_t{-1});
      call.tag = o.value("tag", uint64_t{0});
      dump.calls[sequence] = call;
    }
    return dump;
  } catch (const nlohmann::json::exception& error) {
    return wrong(error.what());
  }
}

std::string Ranks(const std::vector<int>& ranks) {
  return absl::StrCat(ranks.size() == 1 ? "rank " : "ranks ", absl::StrJoin(ranks, " "));
}

// "by ring, tag 7, predicted 12.000 us, under way for 3000.000 us"
std::string Details(const Call& call, int64_t now) {
  std::string text = absl::StrCat("by ", call.algorithm.empty() ? "?" : call.algorithm);
  if (call.tag != 0) absl::StrAppend(&text, ", tag ", call.tag);
  const auto time = [&](const char* what, int64_t picoseconds) {
    absl::StrAppendFormat(&text, ", %s %.3f us", what, static_cast<double>(picoseconds) * 1e-6);
  };
  if (call.predicted >= 0) time("predicted", call.predicted);
  if (call.ended >= 0) {
    time("took", call.ended - call.started);
  } else if (call.started >= 0) {
    time("under way for", now - call.started);
  }
  return text;
}

uint64_t Last(const Dump& dump) { return dump.calls.empty() ? 0 : dump.calls.rbegin()->first; }

// The first sequence at which two ranks called different things.
std::string FirstDifference(const std::vector<Dump>& dumps) {
  std::set<uint64_t> sequences;
  for (const Dump& dump : dumps) {
    for (const auto& [sequence, call] : dump.calls) sequences.insert(sequence);
  }
  for (uint64_t sequence : sequences) {
    const Dump* first = nullptr;
    for (const Dump& dump : dumps) {
      const auto call = dump.calls.find(sequence);
      if (call == dump.calls.end()) continue;
      if (first == nullptr) first = &dump;
      const std::string& wanted = first->calls.at(sequence).text;
      if (call->second.text != wanted) {
        return absl::StrCat("Rank ", first->rank, " called ", wanted, ", and rank ", dump.rank, " called ",
                            call->second.text, ".");
      }
    }
  }
  return "";
}

std::string FirstOpen(const std::vector<Dump>& dumps) {
  const Call* open = nullptr;
  uint64_t at = ~uint64_t{0};
  std::string details;
  for (const Dump& dump : dumps) {
    for (const auto& [sequence, call] : dump.calls) {
      if (call.state == "completed" || sequence >= at) continue;
      open = &call, at = sequence;
      details = absl::StrCat(" (", Details(call, dump.now), ")");
    }
  }
  if (open == nullptr) return "";
  std::vector<int> never, inside, beyond;
  std::string waits;
  for (const Dump& dump : dumps) {
    const auto call = dump.calls.find(at);
    if (call == dump.calls.end()) {
      if (Last(dump) < at) never.push_back(dump.rank);
      continue;
    }
    if (call->second.state == "completed") {
      beyond.push_back(dump.rank);
    } else {
      inside.push_back(dump.rank);
      if (waits.empty()) waits = call->second.waits;
    }
  }
  std::string text;
  if (!never.empty()) {
    text = absl::StrCat(Ranks(never), " never called ", open->text, details, ", in which ", Ranks(inside), " wait");
  } else {
    text = absl::StrCat(Ranks(inside), " did not finish ", open->text, details,
                        beyond.empty() ? "" : absl::StrCat(", which ", Ranks(beyond), " did"));
    if (!waits.empty()) absl::StrAppend(&text, ": ", waits);
  }
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + ".";
}

// Of every collective that a dump has: its plan, its tag, what was predicted, what it took.
void PrintCalls(const std::vector<Dump>& dumps) {
  for (const Dump& dump : dumps) {
    for (const auto& [sequence, call] : dump.calls) {
      std::printf("  rank %d: %s, %s, %s\n", dump.rank, call.text.c_str(), call.state.c_str(),
                  Details(call, dump.now).c_str());
    }
  }
}

int Judge(const std::vector<std::string>& files, bool calls) {
  std::map<std::string, std::vector<Dump>> communicators;
  for (const std::string& file : files) {
    auto dump = Read(file);
    if (!dump.ok()) return Fail(dump.status());
    std::string key = absl::StrCat(dump->communicator, " of ", dump->ranks, " ranks");
    communicators[key].push_back(*std::move(dump));
  }
  for (auto& [name, dumps] : communicators) {
    std::sort(dumps.begin(), dumps.end(), [](const Dump& a, const Dump& b) { return a.rank < b.rank; });
    std::string verdict = FirstDifference(dumps);
    if (verdict.empty()) verdict = FirstOpen(dumps);
    if (verdict.empty()) verdict = "All collectives that were called have completed.";
    std::vector<int> missing;
    for (int rank = 0; rank < dumps.front().ranks; ++rank) {
      const bool there = std::any_of(dumps.begin(), dumps.end(), [&](const Dump& d) { return d.rank == rank; });
      if (!there) missing.push_back(rank);
    }
    std::printf("communicator %s: %s\n", name.c_str(), verdict.c_str());
    if (!missing.empty()) std::printf("  No dump of %s: it may have died.\n", Ranks(missing).c_str());
    for (const Dump& dump : dumps) {
      std::printf("  rank %d: %llu collectives called%s%s%s%s\n", dump.rank,
                  static_cast<unsigned long long>(Last(dump)), dump.why.empty() ? "" : "; written on ",
                  dump.why.c_str(), dump.error.empty() ? "" : "; ", dump.error.substr(0, 200).c_str());
    }
    if (calls) PrintCalls(dumps);
  }
  return 0;
}

}  // namespace

void AddFlight(CLI::App& app, Command& run) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("flight", "What went wrong first, from the dumps of several ranks");
  command->add_option("files", *files, "Files of cclCommDumpFlight")->required();
  auto calls = std::make_shared<bool>(false);
  command->add_flag("--calls", *calls, "List every collective: plan, tag, time predicted and taken");
  command->callback([files, calls, &run] { run = [files, calls] { return Judge(*files, *calls); }; });
}

}  // namespace ccl
