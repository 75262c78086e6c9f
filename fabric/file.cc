#include "fabric/file.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "fabric/nearest.h"
#include "fabric/network.h"
#include "fabric/timeline.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace fabric {
namespace {

constexpr int kMaxDots = 64;  // on a line; tables of tables are walked by recursion

class Reader {
 public:
  explicit Reader(absl::string_view path) : path_(path) {}

  absl::StatusOr<std::string> Preset(absl::string_view text) const {
    const auto parsed = Parse(text);
    if (!parsed.ok()) return parsed.status();
    std::string name;
    if (absl::Status status = ReadText(parsed->get("preset"), "preset", name); !status.ok()) {
      return status;
    }
    return name;
  }

  absl::StatusOr<Description> Read(absl::string_view text) const {
    const auto parsed = Parse(text);
    if (!parsed.ok()) return parsed.status();
    const toml::table& file = *parsed;
    Description d;
    if (absl::Status status = Begin(file, d); !status.ok()) return status;
    if (absl::Status status = ReadProtocols(file, d); !status.ok()) return status;
    for (const auto& [key, value] : file) {
      const std::string name(key.str());
      if (IsOwn(name, value)) continue;
      if (absl::Status status = SetAll(name, value, d); !status.ok()) return status;
    }
    if (absl::Status status = ReadEvents(file, d); !status.ok()) return status;
    return d;
  }

 private:
  static constexpr const char* kOwnKeys[] = {
      "preset", "name", "summary", "endpoints", "minimum_endpoints", "maximum_endpoints", "tier",
      "switch", "link", "routing", "event"};

  // Keys that are read here rather than by SetKey.
  static bool IsOwn(absl::string_view name, const toml::node& value) {
    if (name == "protocol" || name == "switch") return value.is_array();
    return std::find(std::begin(kOwnKeys), std::end(kOwnKeys), name) != std::end(kOwnKeys);
  }

  absl::Status Error(const toml::source_region& where, absl::string_view what) const {
    return ErrorAt(static_cast<int>(where.begin.line), what);
  }
  absl::Status ErrorAt(int line, absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ":", line, ": ", what));
  }

  absl::StatusOr<toml::table> Parse(absl::string_view text) const {
    const auto clean = Clean(text);
    if (!clean.ok()) return clean.status();
    toml::parse_result parsed = toml::parse(std::string_view(*clean));
    if (!parsed) {
      return Error(parsed.error().source(), std::string(parsed.error().description()));
    }
    return std::move(parsed).table();
  }

  // What the parser may be given: it walks tables by recursion, and what it does with letters beyond
  // ASCII outside of texts and comments is undefined. Comments lose theirs.
  absl::StatusOr<std::string> Clean(absl::string_view text) const {
    if (text.size() > kMaxFileBytes) {
      return absl::InvalidArgumentError(absl::StrCat(path_, ": larger than ", kMaxFileBytes >> 20,
                                                     " MiB, so no description of a system"));
    }
    std::string clean(text);
    int line = 1, dots = 0;
    bool comment = false;
    for (char& c : clean) {
      if (c == '\n') ++line, dots = 0, comment = false;
      if (c == '#') comment = true;
      if (c == '.' && ++dots > kMaxDots) {
        return ErrorAt(line, absl::StrCat("more than ", kMaxDots, " dots on a line"));
      }
      if (static_cast<unsigned char>(c) < 0x80) continue;
      if (!comment) return ErrorAt(line, "only comments may have letters beyond ASCII");
      c = '?';
    }
    return clean;
  }

  absl::Status ReadText(const toml::node* node, absl::string_view key, std::string& out) const {
    if (node == nullptr) return absl::OkStatus();
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) {
      return Error(node->source(), absl::StrCat(key, ": write a text in quotes"));
    }
    out = *value;
    return absl::OkStatus();
  }

  absl::Status ReadCount(const toml::node* node, absl::string_view key, int& out) const {
    if (node == nullptr) return absl::OkStatus();
    const auto value = node->value_exact<int64_t>();
    if (!value || *value < 1 || *value > (1 << 20)) {
      return Error(node->source(), absl::StrCat(key, ": write a whole number from 1 to ", 1 << 20));
    }
    out = static_cast<int>(*value);
    return absl::OkStatus();
  }

  // The tables of [[key]]; none when it is absent.
  absl::StatusOr<std::vector<const toml::table*>> Tables(const toml::table& file,
                                                         absl::string_view key) const {
    std::vector<const toml::table*> tables;
    const toml::node* node = file.get(std::string_view(key.data(), key.size()));
    if (node == nullptr) return tables;
    const std::string wrong = absl::StrCat("write each ", key, " as a table [[", key, "]]");
    const toml::array* list = node->as_array();
    if (list == nullptr || list->empty()) return Error(node->source(), wrong);
    for (const toml::node& item : *list) {
      tables.push_back(item.as_table());
      if (tables.back() == nullptr) return Error(item.source(), wrong);
    }
    return tables;
  }

  // The preset, or the tiers of a system of its own.
  absl::Status Begin(const toml::table& file, Description& d) const {
    const toml::node* preset = file.get("preset");
    const bool graph = file.get("link") != nullptr;
    if ((preset != nullptr) + (file.get("tier") != nullptr) + graph != 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          path_, ": needs one of preset = \"NAME\", [[tier]] tables and [[link]] tables"));
    }
    for (const char* key : {"switch", "routing"}) {
      const toml::node* node = file.get(key);
      // Over a preset, [switch] is a tier of that name.
      if (node == nullptr || graph || (preset != nullptr && node->is_table())) continue;
      return Error(node->source(), absl::StrCat(key, " goes with [[link]] tables"));
    }
    if (preset != nullptr) {
      std::string name;
      if (absl::Status status = ReadText(preset, "preset", name); !status.ok()) return status;
      if (absl::EndsWith(name, ".toml")) return Error(preset->source(), "a preset is not a file");
      auto text = SourceOf(name);
      if (!text.ok()) return Error(preset->source(), text.status().message());
      auto base = Reader(name).Read(*text);
      if (!base.ok()) return base.status();
      d = *std::move(base);
    } else {
      d.name = path_;
    }
    struct Count {
      const char* key;
      int* value;
    };
    for (const Count& count : {Count{"endpoints", &d.endpoints},
                               Count{"minimum_endpoints", &d.minimum_endpoints},
                               Count{"maximum_endpoints", &d.maximum_endpoints}}) {
      absl::Status status = ReadCount(file.get(count.key), count.key, *count.value);
      if (!status.ok()) return status;
    }
    if (absl::Status status = ReadText(file.get("name"), "name", d.name); !status.ok()) {
      return status;
    }
    if (absl::Status status = ReadText(file.get("summary"), "summary", d.summary); !status.ok()) {
      return status;
    }
    if (graph) return ReadGraph(file, d);
    return preset == nullptr ? ReadTiers(file, d) : absl::OkStatus();
  }

  absl::Status ReadName(const toml::table& table, absl::string_view what,
                        const std::vector<std::string>& used, std::string& name) const {
    if (absl::Status status = ReadText(table.get("name"), "name", name); !status.ok()) {
      return status;
    }
    if (name.empty()) return Error(table.source(), absl::StrCat("a ", what, " needs a name"));
    if (absl::StrContains(name, '.')) {
      return Error(table.source(), absl::StrCat("the name of a ", what, " has no dots"));
    }
    if (std::find(used.begin(), used.end(), name) != used.end()) {
      return Error(table.source(), absl::StrCat("a second ", what, " called ", name));
    }
    return absl::OkStatus();
  }

  absl::Status ReadTiers(const toml::table& file, Description& d) const {
    const auto tables = Tables(file, "tier");
    if (!tables.ok()) return tables.status();
    std::vector<std::string> names;
    for (const toml::table* table : *tables) {
      Tier tier;
      if (absl::Status status = ReadName(*table, "tier", names, tier.name); !status.ok()) {
        return status;
      }
      names.push_back(tier.name);
      std::string kind = "switch";
      const toml::node* node = table->get("kind");
      if (absl::Status status = ReadText(node, "kind", kind); !status.ok()) return status;
      if (kind == "mesh") {
        tier.kind = TierKind::kMesh;
      } else if (kind == "torus") {
        tier.kind = TierKind::kTorus;
      } else if (kind == "circuit") {
        tier.kind = TierKind::kCircuit;
      } else if (kind != "switch") {
        return Error(node->source(), absl::StrCat("\"", kind, "\" is not a kind of tier: switch, mesh, "
                                                  "torus or circuit"));
      }
      d.tiers.push_back(std::move(tier));
    }
    for (size_t i = 0; i < tables->size(); ++i) {
      if (absl::Status status = OneRate(*(*tables)[i]); !status.ok()) return status;
      for (const auto& [key, value] : *(*tables)[i]) {
        const std::string name(key.str());
        if (name == "name" || name == "kind") continue;
        absl::Status status = SetAll(absl::StrCat(names[i], ".", name), value, d);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  template <typename T>
  absl::Status ReadQuantity(const toml::table& table, const char* key,
                            absl::StatusOr<T> (*parse)(absl::string_view), T& out) const {
    std::string text;
    const toml::node* node = table.get(key);
    if (absl::Status status = ReadText(node, key, text); !status.ok() || node == nullptr) {
      return status;
    }
    auto value = parse(text);
    if (!value.ok()) return Error(node->source(), absl::StrCat(key, ": ", value.status().message()));
    out = *value;
    return absl::OkStatus();
  }

  absl::Status OnlyKeys(const toml::table& table, const std::vector<std::string>& known) const {
    for (const auto& [key, value] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      return Error(value.source(), absl::StrCat("unknown key \"", name, "\"; did you mean \"",
                                                Nearest(name, known), "\"?"));
    }
    return absl::OkStatus();
  }

  // One end of a link: the number of an endpoint, or the name of a switch.
  absl::Status ReadNode(const toml::table& table, const char* key, const Description& d,
                        const std::vector<std::string>& names, int& out) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return Error(table.source(), absl::StrCat("a link needs a ", key));
    if (const auto number = node->value_exact<int64_t>()) {
      if (*number >= 0 && *number < d.endpoints) {
        out = static_cast<int>(*number);
        return absl::OkStatus();
      }
      return Error(node->source(), absl::StrCat(key, ": endpoints are 0 to ", d.endpoints - 1,
                                                ", not ", *number));
    }
    const auto name = node->value_exact<std::string>();
    if (!name) {
      return Error(node->source(), absl::StrCat(key, ": the number of an endpoint or the name of a "
                                                "switch"));
    }
    const auto found = std::find(names.begin(), names.end(), *name);
    if (found == names.end()) {
      return Error(node->source(), absl::StrCat(key, ": there is no switch called \"", *name, "\""));
    }
    out = d.endpoints + static_cast<int>(found - names.begin());
    return absl::OkStatus();
  }

  absl::Status ReadGraph(const toml::table& file, Description& d) const {
    if (d.endpoints == 0) {
      return absl::InvalidArgumentError(absl::StrCat(path_, ": a graph needs endpoints = NUMBER"));
    }
    std::string routing = "lowest";
    const toml::node* node = file.get("routing");
    if (absl::Status status = ReadText(node, "routing", routing); !status.ok()) return status;
    if (routing != "lowest" && routing != "hash") {
      return Error(node->source(), "routing of a graph is \"lowest\" or \"hash\"");
    }
    d.hash_routes = routing == "hash";
    const auto switches = Tables(file, "switch");
    if (!switches.ok()) return switches.status();
    std::vector<std::string> names;
    for (const toml::table* table : *switches) {
      GraphSwitch s;
      absl::Status status = ReadName(*table, "switch", names, s.name);
      if (status.ok()) status = OnlyKeys(*table, {"name", "latency"});
      if (status.ok()) status = ReadQuantity(*table, "latency", ParseTime, s.latency);
      if (!status.ok()) return status;
      names.push_back(s.name);
      d.switches.push_back(std::move(s));
    }
    const auto links = Tables(file, "link");
    if (!links.ok()) return links.status();
    for (const toml::table* table : *links) {
      Link link;
      absl::Status status = OnlyKeys(*table, {"from", "to", "bandwidth", "latency"});
      if (status.ok()) status = ReadNode(*table, "from", d, names, link.from);
      if (status.ok()) status = ReadNode(*table, "to", d, names, link.to);
      if (status.ok()) status = ReadQuantity(*table, "bandwidth", ParseBandwidth, link.bandwidth);
      if (status.ok()) status = ReadQuantity(*table, "latency", ParseTime, link.latency);
      if (!status.ok()) return status;
      if (link.bandwidth < 1) return Error(table->source(), "a link needs a bandwidth");
      if (link.from == link.to) return Error(table->source(), "a link ends where it begins");
      d.links.push_back(link);
    }
    d.tiers.assign(1, Tier{.name = "graph"});  // Resolve computes it
    return absl::OkStatus();
  }

  absl::Status ReadProtocols(const toml::table& file, Description& d) const {
    const toml::node* node = file.get("protocol");
    if (node == nullptr || node->is_table()) return absl::OkStatus();  // a table: overrides
    const auto tables = Tables(file, "protocol");
    if (!tables.ok()) return tables.status();
    d.protocols.clear();
    std::vector<std::string> names;
    for (const toml::table* table : *tables) {
      Protocol protocol;
      if (absl::Status status = ReadName(*table, "protocol", names, protocol.name); !status.ok()) {
        return status;
      }
      names.push_back(protocol.name);
      d.protocols.push_back(std::move(protocol));
    }
    for (size_t i = 0; i < tables->size(); ++i) {
      for (const auto& [key, value] : *(*tables)[i]) {
        if (key.str() == "name") continue;
        absl::Status status = SetAll(
            absl::StrCat("protocol.", names[i], ".", std::string(key.str())), value, d);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  // Each adds to what a preset has.
  absl::Status ReadEvents(const toml::table& file, Description& d) const {
    const auto tables = Tables(file, "event");
    if (!tables.ok()) return tables.status();
    for (const toml::table* table : *tables) {
      TimelineEvent event;
      event.where = absl::StrCat(path_, ":", table->source().begin.line);
      for (const auto& [key, value] : *table) {
        const std::string name(key.str());
        std::string text = "true";
        if (const auto flag = value.value_exact<bool>(); !flag || !*flag) {
          auto written = Text(name, value);
          if (!written.ok()) return written.status();
          text = *written;
        }
        if (absl::Status status = SetEventKey(name, text, event); !status.ok()) {
          return Error(value.source(), status.message());
        }
      }
      if (absl::Status status = ValidateEvent(event); !status.ok()) return status;
      d.timeline.push_back(std::move(event));
    }
    return absl::OkStatus();
  }

  // A tier's uplinks have a rate or a ratio, not both.
  absl::Status OneRate(const toml::table& table) const {
    const toml::node* ratio = table.get("oversubscription");
    if (ratio == nullptr || table.get("uplink_bandwidth") == nullptr) return absl::OkStatus();
    return Error(ratio->source(), "oversubscription and uplink_bandwidth of one tier: write one");
  }

  // A value, or a table of them.
  absl::Status SetAll(const std::string& key, const toml::node& value, Description& d) const {
    if (const toml::table* table = value.as_table()) {
      if (absl::Status status = OneRate(*table); !status.ok()) return status;
      for (const auto& [inner, setting] : *table) {
        absl::Status status = SetAll(absl::StrCat(key, ".", std::string(inner.str())), setting, d);
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    }
    auto text = Text(key, value);
    if (!text.ok()) return text.status();
    if (absl::Status status = SetKey(key, *text, d); !status.ok()) {
      return Error(value.source(), status.message());
    }
    return absl::OkStatus();
  }

  // As it would stand behind --set.
  absl::StatusOr<std::string> Text(const std::string& key, const toml::node& value) const {
    if (const auto text = value.value_exact<std::string>()) return *text;
    if (const auto number = value.value_exact<int64_t>()) return absl::StrCat(*number);
    if (const auto number = value.value_exact<double>()) {
      return absl::StrFormat("%.17g", *number);
    }
    if (const toml::array* list = value.as_array(); list != nullptr && !list->empty()) {
      std::vector<int64_t> numbers;
      for (const toml::node& item : *list) {
        const auto number = item.value_exact<int64_t>();
        if (!number) break;
        numbers.push_back(*number);
      }
      if (numbers.size() == list->size()) return absl::StrJoin(numbers, "x");
    }
    return Error(value.source(),
                 absl::StrCat(key, ": write a number, a value with its unit such as \"200 ns\", or "
                              "a list of whole numbers"));
  }

  const std::string path_;
};

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot open"));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot read"));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;  // one byte too long, if it is too long, for whoever parses it to refuse
}

absl::StatusOr<std::string> PresetOf(absl::string_view text, absl::string_view path) {
  return Reader(path).Preset(text);
}

absl::StatusOr<Description> ParseText(absl::string_view text, absl::string_view path,
                                      int endpoints, absl::Span<const std::string> sets,
                                      absl::Span<const std::string> events) {
  auto d = Reader(path).Read(text);
  if (!d.ok()) return d.status();
  for (const std::string& set : sets) {
    if (absl::Status status = Set(set, *d); !status.ok()) return status;
  }
  for (const std::string& text : events) {
    auto event = ParseEvent(text);
    if (!event.ok()) return event.status();
    d->timeline.push_back(*std::move(event));
  }
  absl::Status status = Resolve(endpoints, *d);
  if (status.ok()) status = Validate(*d);
  if (status.ok() && !d->timeline.empty()) {  // whether its targets exist
    auto network = Network::Create(*d);
    status = network.ok() ? Timeline::Create(*d, **network).status() : network.status();
  }
  if (status.ok()) return d;
  // Errors about events say themselves where they stand.
  const bool named = path == d->name || absl::StartsWith(status.message(), absl::StrCat(path, ":")) ||
                     absl::StartsWith(status.message(), "event ");
  return absl::Status(status.code(),
                      named ? std::string(status.message())
                            : absl::StrCat(path, ": ", status.message()));
}

}  // namespace fabric
