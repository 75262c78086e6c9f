#include "ccl/bindings/hccl/rank_table.h"

#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>

#include "nlohmann/json.hpp"

namespace ccl::bindings {
namespace {

using Json = nlohmann::json;

[[noreturn]] void Wrong(const std::string& what) { throw std::invalid_argument(what); }

// Everything in a table is a string.
std::string Text(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) Wrong(where + " has no '" + key + "'");
  const Json& value = object[key];
  if (!value.is_string()) Wrong(where + ": '" + key + "' is no string");
  return value.get<std::string>();
}

int Number(const Json& object, const char* key, const std::string& where) {
  const std::string text = Text(object, key, where);
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 0 || value > 1 << 24) {
    Wrong(where + ": '" + key + "' is '" + text + "', no number");
  }
  return static_cast<int>(value);
}

const Json& List(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_array() || object[key].empty()) {
    Wrong(where + " has no list '" + key + "'");
  }
  return object[key];
}

RankTable Parse(const Json& json) {
  const std::string table = "the rank table";
  RankTable result;
  if (Text(json, "status", table) != "completed") Wrong(table + "'s status is not 'completed'");
  result.version = Text(json, "version", table);
  if (result.version != "1.0" && result.version != "1.2") {
    Wrong(table + "'s version is '" + result.version + "', not 1.0 or 1.2");
  }
  const Json& servers = List(json, "server_list", table);
  if (Number(json, "server_count", table) != static_cast<int>(servers.size())) {
    Wrong(table + " says server_count " + Text(json, "server_count", table) + " and lists " +
          std::to_string(servers.size()));
  }
  std::map<int, RankTable::Rank> ranks;
  std::set<std::string> names;
  for (const Json& server : servers) {
    const std::string name = Text(server, "server_id", "a server");
    const std::string where = "server '" + name + "'";
    if (!names.insert(name).second) Wrong(where + " is listed twice");
    int lowest = 1 << 24, highest = -1;
    const Json& devices = List(server, "device", where);
    std::set<int> numbers;
    for (const Json& device : devices) {
      const int rank = Number(device, "rank_id", where), number = Number(device, "device_id", where);
      if (!numbers.insert(number).second) Wrong(where + " has device " + std::to_string(number) + " twice");
      if (!ranks.insert({rank, {number, name, ""}}).second) {
        Wrong(where + ": rank " + std::to_string(rank) + " is there twice");
      }
      lowest = std::min(lowest, rank), highest = std::max(highest, rank);
    }
    if (highest - lowest + 1 != static_cast<int>(devices.size())) {
      Wrong(where + "'s ranks are not in one piece");
    }
  }
  if (ranks.rbegin()->first != static_cast<int>(ranks.size()) - 1) {
    Wrong(table + "'s ranks are not 0 .. " + std::to_string(ranks.size() - 1));
  }
  if (json.contains("super_pod_list")) {
    for (const Json& pod : List(json, "super_pod_list", table)) {
      const std::string id = Text(pod, "super_pod_id", "a super pod");
      for (const Json& server : List(pod, "server_list", "super pod '" + id + "'")) {
        const std::string name = Text(server, "server_id", "super pod '" + id + "'");
        if (names.count(name) == 0) Wrong("super pod '" + id + "' has server '" + name + "', which is not listed");
        for (auto& [rank, place] : ranks) {
          if (place.server == name) place.super_pod = id;
        }
      }
    }
  }
  for (const auto& [rank, place] : ranks) result.ranks.push_back(place);
  return result;
}

}  // namespace

RankTable ParseRankTable(const std::string& text, std::string* error) {
  error->clear();
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    *error = "the rank table is no JSON";
    return {};
  }
  try {
    return Parse(json);
  } catch (const std::exception& wrong) {
    *error = wrong.what();
    return {};
  }
}

}  // namespace ccl::bindings
