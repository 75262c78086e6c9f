#include <cctype>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ccl/algorithms/algorithm.h"

namespace ccl {
namespace {

// A recursive-descent reader of NAME[:RADIX][(PART+...)][*SLICES].
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  absl::StatusOr<AlgorithmSpec> Read() {
    AlgorithmSpec spec;
    absl::Status status = ReadSpec(0, spec);
    if (status.ok() && at_ != text_.size()) status = Error("unexpected text");
    if (!status.ok()) return status;
    return spec;
  }

 private:
  absl::Status ReadSpec(int depth, AlgorithmSpec& spec) {
    if (depth > 8) return Error("nested too deeply");
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) {
      ++at_;
    }
    if (at_ == begin) return Error("an algorithm's name is missing");
    spec.name = std::string(text_.substr(begin, at_ - begin));
    if (Take(':')) {
      if (!Number(2, 1024, spec.radix)) return Error("the radix must be in 2..1024");
    }
    if (Take('(')) {
      do {
        spec.parts.emplace_back();
        absl::Status status = ReadSpec(depth + 1, spec.parts.back());
        if (!status.ok()) return status;
      } while (Take('+'));
      if (!Take(')')) return Error("')' is missing");
    }
    if (Take('*')) {
      if (!Number(1, 4096, spec.slices)) return Error("the number of slices must be in 1..4096");
    }
    return absl::OkStatus();
  }

  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Number(uint32_t low, uint32_t high, uint32_t& value) {
    const size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    return absl::SimpleAtoi(text_.substr(begin, at_ - begin), &value) && value >= low &&
           value <= high;
  }

  absl::Status Error(absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat("algorithm '", text_, "', position ", at_, ": ", what));
  }

  absl::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<AlgorithmSpec> ParseAlgorithm(absl::string_view text) { return Reader(text).Read(); }

std::string Format(const AlgorithmSpec& spec) {
  std::string text = spec.name;
  if (spec.radix != 0) absl::StrAppend(&text, ":", spec.radix);
  for (size_t i = 0; i < spec.parts.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "(" : "+", Format(spec.parts[i]));
  }
  if (!spec.parts.empty()) text += ")";
  if (spec.slices != 1) absl::StrAppend(&text, "*", spec.slices);
  return text;
}

}  // namespace ccl
