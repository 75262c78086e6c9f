#include "fabric/file.h"

#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace fabric {
namespace {

class Reader {
 public:
  Reader(const std::string& path, int endpoints) : path_(path), endpoints_(endpoints) {}

  absl::StatusOr<Description> Read() {
    toml::parse_result parsed = toml::parse_file(path_);
    if (!parsed) {
      return Error(parsed.error().source(), std::string(parsed.error().description()));
    }
    const toml::table& file = parsed.table();
    Description d;
    if (absl::Status status = Begin(file, d); !status.ok()) return status;
    for (const auto& [key, value] : file) {
      const std::string name(key.str());
      if (name == "preset" || name == "name" || name == "endpoints" || name == "tier") continue;
      if (const toml::table* tier = value.as_table()) {
        for (const auto& [inner, setting] : *tier) {
          absl::Status status = Set(absl::StrCat(name, ".", std::string(inner.str())), setting, d);
          if (!status.ok()) return status;
        }
      } else if (absl::Status status = Set(name, value, d); !status.ok()) {
        return status;
      }
    }
    if (absl::Status status = Validate(d); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path_, ": ", status.message()));
    }
    return d;
  }

 private:
  absl::Status Error(const toml::source_region& where, absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":", static_cast<int>(where.begin.line), ": ", what));
  }

  // The preset, or the tiers of a system of its own.
  absl::Status Begin(const toml::table& file, Description& d) {
    int endpoints = endpoints_;
    if (const toml::node* node = file.get("endpoints"); node != nullptr && endpoints == 0) {
      const auto value = node->value<int64_t>();
      if (!value || *value < 1 || *value > (1 << 20)) {
        return Error(node->source(), "endpoints must be a number from 1");
      }
      endpoints = static_cast<int>(*value);
    }
    const toml::node* preset = file.get("preset");
    const toml::node* tiers = file.get("tier");
    if ((preset == nullptr) == (tiers == nullptr)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ": needs either preset = \"NAME\" or [[tier]] tables"));
    }
    if (preset != nullptr) {
      const std::string name = preset->value_or<std::string>("");
      if (absl::EndsWith(name, ".toml")) return Error(preset->source(), "a preset is not a file");
      auto loaded = Load(name, endpoints);
      if (!loaded.ok()) return Error(preset->source(), loaded.status().message());
      d = *std::move(loaded);
    } else {
      d.endpoints = endpoints;
      const toml::array* list = tiers->as_array();
      if (list == nullptr) return Error(tiers->source(), "write tiers as [[tier]]");
      for (const toml::node& item : *list) {
        const toml::table* table = item.as_table();
        if (table == nullptr) return Error(item.source(), "write tiers as [[tier]]");
        Tier tier;
        tier.name = (*table)["name"].value_or<std::string>("");
        tier.group_size = static_cast<int>((*table)["group_size"].value_or<int64_t>(0));
        tier.switch_hops = static_cast<int>((*table)["switch_hops"].value_or<int64_t>(1));
        if (tier.name.empty() || tier.group_size < 1) {
          return Error(item.source(), "a tier needs a name and a group_size");
        }
        d.tiers.push_back(tier);
      }
      for (size_t i = 0; i < list->size(); ++i) {
        for (const auto& [key, value] : *list->get(i)->as_table()) {
          const std::string name(key.str());
          if (name == "name" || name == "group_size" || name == "switch_hops") continue;
          absl::Status status = Set(absl::StrCat(d.tiers[i].name, ".", name), value, d);
          if (!status.ok()) return status;
        }
      }
    }
    if (preset == nullptr) d.name = path_;
    if (const auto name = file["name"].value<std::string>()) d.name = *name;
    return absl::OkStatus();
  }

  absl::Status Set(const std::string& key, const toml::node& value, Description& d) const {
    const auto text = value.value<std::string>();
    if (!value.is_string() || !text) {
      return Error(value.source(),
                   absl::StrCat(key, ": write the value with its unit, e.g. \"200 ns\""));
    }
    if (absl::Status status = SetKey(key, *text, d); !status.ok()) {
      return Error(value.source(), status.message());
    }
    return absl::OkStatus();
  }

  const std::string& path_;
  const int endpoints_;
};

}  // namespace

absl::StatusOr<Description> LoadFile(const std::string& path, int endpoints,
                                     absl::Span<const std::string> sets) {
  auto d = Reader(path, endpoints).Read();
  if (!d.ok()) return d.status();
  for (const std::string& set : sets) {
    if (absl::Status status = Set(set, *d); !status.ok()) return status;
  }
  if (absl::Status status = Validate(*d); !status.ok()) return status;
  return d;
}

}  // namespace fabric
