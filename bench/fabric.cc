#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/commands.h"
#include "fabric/description.h"
#include "fabric/figures.h"
#include "fabric/network.h"

namespace ccl {
namespace {

using fabric::Description;
using fabric::Tier;
using fabric::TierKind;

std::string Rate(double bytes_per_second) {
  const bool tera = bytes_per_second >= 1e13;
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", bytes_per_second / (tera ? 1e12 : 1e9),
                tera ? "TB/s" : "GB/s");
  return text;
}

std::string Nanoseconds(fabric::Time time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ns", static_cast<double>(time) / 1e3);
  return text;
}

std::string Structure(const Description& d, int tier) {
  const Tier& t = d.tiers[tier];
  const int size = std::min(t.group_size, d.endpoints) / t.rails;
  std::string text = absl::StrCat(d.Groups(tier), d.Groups(tier) == 1 ? " group of " : " groups of ",
                                  size, " endpoints, ");
  switch (t.kind) {
    case TierKind::kSwitch:
      absl::StrAppend(&text, t.switch_hops, t.switch_hops == 1 ? " switch of " : " switches of ",
                      Nanoseconds(t.switch_latency), " on each pass");
      break;
    case TierKind::kMesh:
      absl::StrAppend(&text, "a link of ", Rate(t.link_bandwidth), " and ",
                      Nanoseconds(t.switch_latency), " between every two");
      break;
    case TierKind::kCircuit:
      absl::StrAppend(&text, "an optical switch of circuits, ",
                      t.circuits == fabric::CircuitPolicy::kDemand ? "set on demand" : "scheduled",
                      ", dark for ", fabric::TimeText(t.reconfiguration));
      if (t.reconfiguration_draw != fabric::Draw::kNone) {
        absl::StrAppend(&text, " and a draw of ", fabric::TimeText(t.reconfiguration_jitter));
      }
      absl::StrAppend(&text, " when they change");
      break;
    case TierKind::kTorus:
      absl::StrAppend(&text, "a torus of ", absl::StrJoin(t.dimensions, "x"), " with links of ",
                      Rate(t.link_bandwidth), " and ", Nanoseconds(t.switch_latency));
  }
  if (t.rails > 1) absl::StrAppend(&text, ", ", t.rails, " rails");
  if (d.FibreLatency(tier) > 0) {
    absl::StrAppend(&text, ", fibres of ", t.fibre_length, " m: ",
                    Nanoseconds(d.FibreLatency(tier)));
  }
  if (t.group_efficiency > 0) {
    absl::StrAppend(&text, ", reduces and replicates at ", t.group_efficiency, " of the port rate");
  }
  return text;
}

// From the outermost tier inwards, with what joins each to the next.
void Draw(const Description& d) {
  const int outer = fabric::OutermostTier(d);
  std::vector<int> own;  // tiers with ports of their own, which the endpoints name
  for (int i = outer; i >= 0; --i) {
    const Tier& t = d.tiers[i];
    std::printf("  [%s] x %d\n", t.name.c_str(), d.Groups(i));
    const bool enters = d.EntryTier(i) == i;
    if (enters) own.push_back(i);
    if (enters && i > 0) {
      std::printf("      :   ports of its own at each endpoint, %s\n",
                  Rate(fabric::OwnBandwidth(d, i)).c_str());
    } else if (i > 0) {
      const Tier& below = d.tiers[i - 1];
      const char* routing = below.routing == fabric::Routing::kSpray  ? "sprayed"
                            : below.routing == fabric::Routing::kHash ? "by hash"
                                                                      : "by destination";
      const std::string rate =
          below.uplink_bandwidth > 0 ? Rate(below.uplink_bandwidth) : "no limit";
      std::printf("      |   %d uplink%s, %s a group, %s\n", below.uplinks,
                  below.uplinks == 1 ? "" : "s", rate.c_str(), routing);
    } else {
      std::printf("      |   %s an endpoint\n", Rate(fabric::OwnBandwidth(d, 0)).c_str());
    }
  }
  std::printf("  (endpoint) x %d\n", d.endpoints);
}

void PathLine(const Description& d, const std::string& what, int dst) {
  std::printf("  %-28s %4d %12s %14s\n", what.c_str(), fabric::Hops(d, 0, dst),
              Nanoseconds(d.PathLatency(0, dst)).c_str(), Rate(d.PathBandwidth(0, dst)).c_str());
}

// One line for each tier at which two endpoints may meet; of a torus the nearest and the farthest.
void Paths(const Description& d) {
  std::printf("  %-28s %4s %12s %14s\n", "between endpoints", "hops", "latency", "one message");
  const int tiers = static_cast<int>(d.tiers.size());
  std::vector<int> nearest(tiers, 0), farthest(tiers, 0);
  for (int dst = 1; dst < d.endpoints; ++dst) {
    const int meet = d.MeetingTier(0, dst);
    if (nearest[meet] == 0 || d.PathLatency(0, dst) < d.PathLatency(0, nearest[meet])) {
      nearest[meet] = dst;
    }
    if (farthest[meet] == 0 || d.PathLatency(0, dst) > d.PathLatency(0, farthest[meet])) {
      farthest[meet] = dst;
    }
  }
  for (int i = 0; i < tiers; ++i) {
    if (nearest[i] == 0) continue;
    const std::string within = absl::StrCat("of one ", d.tiers[i].name);
    const bool two = d.PathLatency(0, nearest[i]) != d.PathLatency(0, farthest[i]);
    PathLine(d, two ? absl::StrCat(within, ", nearest") : within, nearest[i]);
    if (two) PathLine(d, absl::StrCat(within, ", farthest"), farthest[i]);
  }
}

// Numbers of the file, and of the preset that it begins with.
absl::Status Sources(const std::string& name) {
  auto text = fabric::SourceOf(name);
  if (!text.ok()) return text.status();
  auto preset = fabric::PresetOf(*text, name);
  if (!preset.ok()) return preset.status();
  if (!preset->empty()) {
    if (absl::Status status = Sources(*preset); !status.ok()) return status;
  }
  std::printf("\nNumbers of %s\n", name.c_str());
  for (const fabric::Note& note : fabric::Notes(*text)) {
    std::printf("  %-28s %-14s %s\n", note.key.c_str(), note.value.c_str(),
                note.source.empty() ? "(no source given)" : note.source.c_str());
  }
  return absl::OkStatus();
}

struct FabricOptions {
  std::string name;
  int ranks = 0;
  bool toml = false;
  std::vector<std::string> sets, events;
};

// What will happen, and what is drawn.
void Disturbances(const Description& d) {
  if (d.noise.distribution != fabric::Draw::kNone) {
    std::printf("\nNoise      latency %s, send overhead %s, seed %lu\n",
                fabric::TimeText(d.noise.latency).c_str(), fabric::TimeText(d.noise.send_overhead).c_str(),
                static_cast<unsigned long>(d.noise.seed));
  }
  if (!d.timeline.empty()) std::printf("\nTimeline\n");
  for (const fabric::TimelineEvent& event : d.timeline) {
    std::printf("  %s\n", fabric::ToString(event).c_str());
  }
}

absl::Status Show(const FabricOptions& o) {
  if (o.toml) {
    auto text = fabric::SourceOf(o.name);
    if (!text.ok()) return text.status();
    std::fwrite(text->data(), 1, text->size(), stdout);
    return absl::OkStatus();
  }
  auto loaded = fabric::Load(o.name, o.ranks, o.sets, o.events);
  if (!loaded.ok()) return loaded.status();
  const Description& d = *loaded;
  const int outer = fabric::OutermostTier(d);
  std::printf("%s: %s\n", d.name.c_str(),
              d.summary.empty() ? "no summary" : d.summary.c_str());
  if (d.links.empty()) {
    std::printf("\nStructure\n");
    for (int i = 0; i <= outer; ++i) {
      std::printf("  %-14s %s\n", d.tiers[i].name.c_str(), Structure(d, i).c_str());
    }
    std::printf("\nDrawing\n");
    Draw(d);
    std::printf("\nPaths\n");
    Paths(d);
  } else {
    std::printf("\nGraph\n  %d endpoints, %zu switches, %zu links; the longest route takes %s, the "
                "narrowest link has %s\n", d.endpoints, d.switches.size(), d.links.size(),
                Nanoseconds(d.tiers[0].switch_latency).c_str(),
                Rate(d.tiers[0].link_bandwidth).c_str());
  }
  const double injection = fabric::InjectionBandwidth(d);
  std::printf("\nInjection  %s an endpoint, %s all\n", Rate(injection).c_str(),
              Rate(injection * d.endpoints).c_str());
  if (d.links.empty()) {
    std::printf("Bisection  %s one way\n", Rate(fabric::BisectionBandwidth(d)).c_str());
  } else {
    std::printf("           of the endpoint with the least\n");
  }
  Disturbances(d);
  if (absl::Status status = Sources(o.name); !status.ok()) return status;
  for (const std::string& set : o.sets) std::printf("  set here: %s\n", set.c_str());
  return absl::OkStatus();
}

absl::Status Check(const FabricOptions& o) {
  auto d = fabric::Load(o.name, o.ranks, o.sets, o.events);
  if (!d.ok()) return d.status();
  if (auto network = fabric::Network::Create(*d); !network.ok()) return network.status();
  std::printf("%s: ok, %s, %d endpoints\n", o.name.c_str(), d->name.c_str(), d->endpoints);
  return absl::OkStatus();
}

}  // namespace

void AddFabric(CLI::App& app, Command& run) {
  CLI::App* sub = app.add_subcommand("fabric", "What an emulated fabric is made of; check a file");
  sub->require_subcommand(1);
  const auto add = [&](const char* name, const char* what,
                       absl::Status (*command)(const FabricOptions&)) {
    auto o = std::make_shared<FabricOptions>();
    CLI::App* verb = sub->add_subcommand(name, what);
    verb->add_option("fabric", o->name, "preset, or a file that ends in .toml")->required();
    verb->add_option("--ranks", o->ranks, "endpoints; default: the fabric's");
    verb->add_option("--set", o->sets, "KEY=VALUE of the fabric");
    verb->add_option("--event", o->events, "what happens to it, e.g. at=20us,endpoint=3,down");
    if (command == Show) {
      verb->add_flag("--toml", o->toml, "print the file itself, to copy and edit");
    }
    verb->callback([o, command, &run] {
      run = [o, command] {
        const absl::Status status = command(*o);
        return status.ok() ? 0 : Fail(status);
      };
    });
  };
  add("show", "Structure, paths, bandwidths, and where each number comes from", Show);
  add("check", "Whether a file describes a fabric", Check);
}

}  // namespace ccl
