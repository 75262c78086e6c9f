#ifndef CCL_BASE_TYPES_H_
#define CCL_BASE_TYPES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ccl {

// Picoseconds, virtual or since some fixed start. A double cannot hold an hour of them exactly.
using Time = int64_t;

// The numbers are those of NCCL's ncclDataType_t, so that the C edge is a cast after a range check;
// the last two are ours.
enum class DataType : uint8_t {
  kInt8 = 0,
  kUint8 = 1,
  kInt32 = 2,
  kUint32 = 3,
  kInt64 = 4,
  kUint64 = 5,
  kFloat16 = 6,
  kFloat32 = 7,
  kFloat64 = 8,
  kBfloat16 = 9,
  kFloat8E4M3 = 10,
  kFloat8E5M2 = 11,
  kInt16 = 12,
  kUint16 = 13,
};
inline constexpr int kDataTypes = 14;

// The numbers are those of NCCL's ncclRedOp_t; the bitwise operations are ours.
enum class ReduceOp : uint8_t {
  kSum = 0,
  kProd = 1,
  kMax = 2,
  kMin = 3,
  kAvg = 4,
  kBand = 5,
  kBor = 6,
  kBxor = 7,
};
inline constexpr int kReduceOps = 8;

enum class Collective : uint8_t {
  kAllReduce,
  kReduceScatter,
  kAllGather,
  kBroadcast,
  kReduce,
  kAllToAll,
  kGather,
  kScatter,
  kBarrier,
  kScan,    // rank r: the fold of ranks 0 .. r
  kExscan,  // rank r: the fold of ranks 0 .. r - 1; nothing at rank 0
  // The v-forms: blocks of different lengths.
  kAllGatherV,
  kReduceScatterV,
  kAllToAllV,
  kGatherV,
  kScatterV,
};
inline constexpr int kCollectives = 16;

size_t SizeOf(DataType type);
bool IsInteger(DataType type);
// Whether the operation makes sense on the type: bits are combined of integers only.
bool Combines(ReduceOp op, DataType type);

// Names as nccl-tests prints them ("float", "half", "bfloat16", ...; "sum", ...) and as the
// command line takes them ("allreduce", "all_reduce"). Parsing an unknown name is
// InvalidArgument with the nearest known name.
absl::string_view Name(DataType type);
absl::string_view Name(ReduceOp op);
absl::string_view Name(Collective collective);
absl::StatusOr<DataType> ParseDataType(absl::string_view name);
absl::StatusOr<ReduceOp> ParseReduceOp(absl::string_view name);
absl::StatusOr<Collective> ParseCollective(absl::string_view name);

// True for the v-forms, whose blocks have a count each.
bool HasCounts(Collective collective);
// The same with blocks of one length; what is no v-form itself.
Collective EvenForm(Collective collective);
// True for the collectives that combine values (allreduce, reduce-scatter, reduce, scans).
bool Reduces(Collective collective);
// True for scan and exscan, in which every rank has a result of its own.
bool Scans(Collective collective);
// True for the collectives whose `count` is one rank's block rather than the whole vector
// (reduce-scatter, allgather, all-to-all, gather, scatter), and for their v-forms.
bool CountIsPerRank(Collective collective);
// True for broadcast, reduce, gather, scatter, and the v-forms of the latter two.
bool HasRoot(Collective collective);

}  // namespace ccl

#endif  // CCL_BASE_TYPES_H_
