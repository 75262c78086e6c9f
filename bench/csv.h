// Tables in files of comma-separated values with a header.
#ifndef BENCH_CSV_H_
#define BENCH_CSV_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ccl {

struct CsvRow {
  int line = 0;
  std::map<std::string, std::string> fields;  // by column; every row has every column
};

// The rows of `text`. A field may stand in double quotes, with a doubled quote for one inside; lines
// that are empty or begin with '#' are skipped. Errors name `path` and the line: a row of another
// width than the header's, a quote without end, a column of `required` that is missing. Any bytes are
// safe to pass.
absl::StatusOr<std::vector<CsvRow>> ParseCsv(absl::string_view text, absl::string_view path,
                                             const std::vector<std::string>& required);

// A number of a row, or an error that names the line and the column.
absl::StatusOr<double> NumberOf(const CsvRow& row, const std::string& column,
                                absl::string_view path);

// The content of a file of at most 64 MiB.
absl::StatusOr<std::string> ReadText(const std::string& path);

}  // namespace ccl

#endif  // BENCH_CSV_H_
