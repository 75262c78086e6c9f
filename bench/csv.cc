#include "bench/csv.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ccl {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;

// The fields of the line that begins at `at`, which moves behind it; fields in quotes may hold lines.
absl::StatusOr<std::vector<std::string>> TakeLine(absl::string_view text, size_t& at, int& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (at < text.size() && text[at] == '"') {
        fields.back() += text[at++];
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quote without an end");
  for (std::string& field : fields) field = std::string(absl::StripAsciiWhitespace(field));
  return fields;
}

}  // namespace

absl::StatusOr<std::vector<CsvRow>> ParseCsv(absl::string_view text, absl::string_view path,
                                             const std::vector<std::string>& required) {
  std::vector<std::string> header;
  std::vector<CsvRow> rows;
  int line = 1;
  for (size_t at = 0; at < text.size();) {
    const int begin = line;
    const auto error = [&](auto... parts) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", begin, ": ", parts...));
    };
    if (text[at] == '#') {
      while (at < text.size() && text[at] != '\n') ++at;
      if (at < text.size()) ++at, ++line;
      continue;
    }
    auto fields = TakeLine(text, at, line);
    if (!fields.ok()) return error(fields.status().message());
    if (fields->size() == 1 && fields->front().empty()) continue;
    if (header.empty()) {
      header = *std::move(fields);
      for (const std::string& column : required) {
        if (std::find(header.begin(), header.end(), column) != header.end()) continue;
        return error("there is no column \"", column, "\"; needed are ",
                     absl::StrJoin(required, ", "));
      }
      continue;
    }
    if (fields->size() != header.size()) {
      return error(fields->size(), " fields, but the header has ", header.size());
    }
    CsvRow row;
    row.line = begin;
    for (size_t i = 0; i < header.size(); ++i) row.fields[header[i]] = std::move((*fields)[i]);
    rows.push_back(std::move(row));
  }
  if (header.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is empty; the first line names columns"));
  }
  return rows;
}

absl::StatusOr<double> NumberOf(const CsvRow& row, const std::string& column,
                                absl::string_view path) {
  const auto found = row.fields.find(column);
  double value = 0;
  if (found != row.fields.end() && absl::SimpleAtod(found->second, &value) && std::isfinite(value) &&
      value >= 0) {
    return value;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", row.line, ": ", column, ": \"",
                   found == row.fields.end() ? "" : found->second, "\" is not a number from 0 on"));
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot open"));
  std::string text;
  char buffer[1 << 16];
  while (file.read(buffer, sizeof buffer), file.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(file.gcount()));
    if (text.size() <= kMostBytes) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": larger than ", kMostBytes >> 20, " MiB, so no table of measurements"));
  }
  if (file.bad()) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot read"));
  return text;
}

}  // namespace ccl
