#include "ccl/exec/blocks.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "ccl/exec/binding.h"

namespace ccl {
namespace {

template <typename... What>
absl::Status Error(const What&... what) {
  return absl::InvalidArgumentError(absl::StrCat(what...));
}

absl::Status CheckList(const BlockList& list, absl::string_view buffer, uint64_t most) {
  uint64_t total = 0;
  for (size_t i = 0; i < list.counts.size(); ++i) {
    const uint64_t count = list.counts[i], displacement = list.displacements[i];
    if (count > most || displacement > most || (total += count) > most) {
      return Error("count ", count, " at displacement ", displacement, " of block ", i, " of the ",
                   buffer, " buffer is negative or too large");
    }
  }
  return absl::OkStatus();
}

// Nothing may be received twice.
absl::Status CheckDisjoint(const BlockList& list) {
  std::vector<size_t> order;
  for (size_t i = 0; i < list.counts.size(); ++i) {
    if (list.counts[i] > 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&list](size_t a, size_t b) {
    return std::pair(list.displacements[a], a) < std::pair(list.displacements[b], b);
  });
  for (size_t i = 1; i < order.size(); ++i) {
    const size_t a = order[i - 1], b = order[i];
    if (list.displacements[a] + list.counts[a] <= list.displacements[b]) continue;
    return Error("blocks ", std::min(a, b), " and ", std::max(a, b), " of the receive buffer overlap");
  }
  return absl::OkStatus();
}

// Block `rank` of the larger buffer and the only one of the smaller are one and the same, and of one
// length; of an all-to-all both buffers have such a block.
absl::Status CheckOwn(const Request& request, size_t rank) {
  const std::vector<uint64_t>&in = request.blocks->in.counts, &out = request.blocks->out.counts;
  if (in.empty() || out.empty()) return absl::OkStatus();
  const uint64_t sent = in.size() > 1 ? in[rank] : in[0];
  const uint64_t received = out.size() > 1 ? out[rank] : out[0];
  if (sent == received) return absl::OkStatus();
  return Error("the rank's block to itself has ", sent, " elements in the send counts and ", received,
               " in the receive counts");
}

}  // namespace

BlockList BlockList::Dense(std::vector<uint64_t> counts) {
  BlockList list;
  list.displacements.resize(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), list.displacements.begin(), uint64_t{0});
  list.counts = std::move(counts);
  return list;
}

uint64_t BlockList::Total() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

uint64_t BlockList::End() const {
  uint64_t end = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) end = std::max(end, displacements[i] + counts[i]);
  }
  return end;
}

absl::Status CheckBlocks(const Request& request, int rank, uint64_t most) {
  const Blocks& blocks = *request.blocks;
  CCL_RETURN_IF_ERROR(CheckList(blocks.in, "send", most));
  CCL_RETURN_IF_ERROR(CheckList(blocks.out, "receive", most));
  CCL_RETURN_IF_ERROR(CheckDisjoint(blocks.out));
  CCL_RETURN_IF_ERROR(CheckOwn(request, static_cast<size_t>(rank)));
  if (request.phantom) return absl::OkStatus();
  const size_t size = SizeOf(request.type);
  const uint64_t in_bytes = blocks.in.End() * size, out_bytes = blocks.out.End() * size;
  if (in_bytes > 0 && request.in == nullptr) return Error("the send buffer is null");
  if (out_bytes > 0 && request.out == nullptr) return Error("the receive buffer is null");
  const char* const in = static_cast<const char*>(request.in);
  const char* const out = static_cast<const char*>(request.out);
  if (in_bytes == 0 || out_bytes == 0 || in + in_bytes <= out || out + out_bytes <= in) {
    return absl::OkStatus();
  }
  if (request.collective == Collective::kAllToAllV) {
    return Error("the buffers overlap; alltoallv has no in-place form");
  }
  const auto own = [rank](const BlockList& list) {
    return list.displacements[list.counts.size() > 1 ? static_cast<size_t>(rank) : 0];
  };
  if (in + own(blocks.in) * size == out + own(blocks.out) * size) return absl::OkStatus();
  return Error("the buffers overlap, and not as in place: the smaller one must be the rank's block "
               "of the larger");
}

}  // namespace ccl
