#include "ccl/base/types.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"

namespace ccl {
namespace {

struct TypeRow {
  absl::string_view name;
  size_t size;
  bool integer;
};
constexpr TypeRow kTypeRows[kDataTypes] = {
    {"int8", 1, true},   {"uint8", 1, true},   {"int32", 4, true},   {"uint32", 4, true},
    {"int64", 8, true},  {"uint64", 8, true},  {"half", 2, false},   {"float", 4, false},
    {"double", 8, false}, {"bfloat16", 2, false}, {"f8e4m3", 1, false}, {"f8e5m2", 1, false},
    {"int16", 2, true},  {"uint16", 2, true},
};
constexpr absl::string_view kOpNames[kReduceOps] = {"sum", "prod", "max", "min",
                                                    "avg", "band", "bor", "bxor"};
constexpr absl::string_view kCollectiveNames[kCollectives] = {
    "allreduce", "reduce_scatter", "allgather", "broadcast", "reduce",
    "alltoall",  "gather",         "scatter",   "barrier",
    "scan",      "exscan",         "allgatherv", "reduce_scatterv", "alltoallv",
    "gatherv",   "scatterv"};

struct Alias {
  absl::string_view name;
  DataType type;
};
constexpr Alias kTypeAliases[] = {
    {"float16", DataType::kFloat16},  {"fp16", DataType::kFloat16},
    {"float32", DataType::kFloat32},  {"fp32", DataType::kFloat32},
    {"float64", DataType::kFloat64},  {"fp64", DataType::kFloat64},
    {"bf16", DataType::kBfloat16},    {"char", DataType::kInt8},
    {"int", DataType::kInt32},        {"fp8_e4m3", DataType::kFloat8E4M3},
    {"fp8_e5m2", DataType::kFloat8E5M2},
};

}  // namespace

size_t SizeOf(DataType type) { return kTypeRows[static_cast<int>(type)].size; }
bool IsInteger(DataType type) { return kTypeRows[static_cast<int>(type)].integer; }
bool Combines(ReduceOp op, DataType type) { return op < ReduceOp::kBand || IsInteger(type); }
absl::string_view Name(DataType type) { return kTypeRows[static_cast<int>(type)].name; }
absl::string_view Name(ReduceOp op) { return kOpNames[static_cast<int>(op)]; }
absl::string_view Name(Collective collective) {
  return kCollectiveNames[static_cast<int>(collective)];
}

absl::StatusOr<DataType> ParseDataType(absl::string_view name) {
  for (int i = 0; i < kDataTypes; ++i) {
    if (kTypeRows[i].name == name) return static_cast<DataType>(i);
  }
  for (const Alias& alias : kTypeAliases) {
    if (alias.name == name) return alias.type;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown data type '", name, "'; known: ",
                   absl::StrJoin(kTypeRows, " ", [](std::string* out, const TypeRow& row) {
                     absl::StrAppend(out, row.name);
                   })));
}

absl::StatusOr<ReduceOp> ParseReduceOp(absl::string_view name) {
  for (int i = 0; i < kReduceOps; ++i) {
    if (kOpNames[i] == name) return static_cast<ReduceOp>(i);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown reduction '", name, "'; known: ",
                   absl::StrJoin(absl::MakeConstSpan(kOpNames), " ")));
}

absl::StatusOr<Collective> ParseCollective(absl::string_view name) {
  // "all_reduce", "all-reduce" and "AllReduce" all mean allreduce.
  const auto squeeze = [](absl::string_view text) {
    return absl::StrReplaceAll(absl::AsciiStrToLower(text), {{"_", ""}, {"-", ""}});
  };
  const std::string wanted = squeeze(name);
  for (int i = 0; i < kCollectives; ++i) {
    if (squeeze(kCollectiveNames[i]) == wanted) return static_cast<Collective>(i);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown collective '", name, "'; known: ",
                   absl::StrJoin(absl::MakeConstSpan(kCollectiveNames), " ")));
}

bool HasCounts(Collective c) { return c >= Collective::kAllGatherV; }

Collective EvenForm(Collective c) {
  switch (c) {
    case Collective::kAllGatherV: return Collective::kAllGather;
    case Collective::kReduceScatterV: return Collective::kReduceScatter;
    case Collective::kAllToAllV: return Collective::kAllToAll;
    case Collective::kGatherV: return Collective::kGather;
    case Collective::kScatterV: return Collective::kScatter;
    default: return c;
  }
}

bool Scans(Collective c) { return c == Collective::kScan || c == Collective::kExscan; }

bool Reduces(Collective c) {
  return c == Collective::kAllReduce || EvenForm(c) == Collective::kReduceScatter ||
         c == Collective::kReduce || Scans(c);
}

bool CountIsPerRank(Collective v) {
  const Collective c = EvenForm(v);
  return c == Collective::kReduceScatter || c == Collective::kAllGather ||
         c == Collective::kAllToAll || c == Collective::kGather || c == Collective::kScatter;
}

bool HasRoot(Collective v) {
  const Collective c = EvenForm(v);
  return c == Collective::kBroadcast || c == Collective::kReduce || c == Collective::kGather ||
         c == Collective::kScatter;
}

}  // namespace ccl
