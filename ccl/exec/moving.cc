// The bytes of an execution that move at the rank itself: scaled inputs, copies, folds.
#include <algorithm>
#include <vector>

#include "ccl/backend/compute.h"
#include "ccl/backend/copy.h"
#include "ccl/exec/execution.h"
#include "ccl/exec/walk.h"

namespace ccl {
namespace {

// In the place of what a list had.
void AsConst(absl::Span<const Piece> pieces, std::vector<ConstPiece>& list) {
  list.clear();
  for (const Piece& piece : pieces) list.push_back({piece.data, piece.bytes});
}

}  // namespace

bool Execution::Scales(const Request& request) {
  if (request.phantom || !Reduces(request.collective)) return false;
  if (request.custom != nullptr) return !request.custom->function;
  return request.op == ReduceOp::kAvg && AveragesByFactor(request.type);
}

void Execution::Scale() {
  Factor factor;
  if (request_.custom != nullptr) {
    factor = request_.custom->factor();
  } else {
    factor.real = 1.0 / program_->info().ranks;
  }
  if (request_.blocks == nullptr) {
    return ScaleInto(request_.type, const_cast<void*>(state_->request.in), request_.in,
                     state_->binding.InputElements(), factor);
  }
  const BlockList &from = request_.blocks->in, &to = state_->request.blocks->in;
  const size_t size = SizeOf(request_.type);
  for (size_t i = 0; i < from.counts.size(); ++i) {
    ScaleInto(request_.type, state_->scaled.get() + to.displacements[i] * size,
              static_cast<const char*>(request_.in) + from.displacements[i] * size, from.counts[i],
              factor);
  }
}

void Execution::Combine(void* dst, absl::Span<const void* const> operands, size_t count) const {
  if (request_.custom != nullptr && request_.custom->function) {
    return FoldInto(*request_.custom, request_.type, dst, operands, count);
  }
  FoldInto(request_.type, request_.op, dst, operands, count);
}

uint64_t Execution::LocalStep(const Step& step, OperationKind& kind) {
  Workspace& w = workspace();
  const absl::Span<const Ref> src = w.list.src(step), dst = w.list.dst(step);
  const uint64_t bytes = state_->binding.Bytes(dst);
  if (step.kind == StepKind::kReduce) {
    kind = OperationKind::kReduce;
    if (!request_.phantom && bytes > 0) {
      state_->folded = true;
      Ref run = dst[0];
      const uint32_t runs = state_->binding.Scattered(run) ? run.count : 1;
      run.count /= runs;
      for (uint32_t i = 0; i < runs; ++i, ++run.first) {
        w.operands.clear();
        for (Ref ref : src) {
          ref.first += i;
          w.operands.push_back(state_->binding.Address(ref));
        }
        Combine(state_->binding.Address(run), w.operands, state_->binding.Elements(run));
      }
    }
    return bytes * (src.size() - 1);
  }
  kind = OperationKind::kCopy;
  if (request_.phantom) return bytes;
  std::vector<Piece>&from = w.from, &to = w.to;
  from.clear();
  to.clear();
  state_->binding.Pieces(src, from);
  state_->binding.Pieces(dst, to);
  if (from.size() == to.size() &&
      std::equal(from.begin(), from.end(), to.begin(), [](const Piece& a, const Piece& b) {
        return a.data == b.data && a.bytes == b.bytes;
      })) {
    return 0;  // in place
  }
  if (from.size() == 1 && to.size() == 1) {
    Copy(to[0].data, from[0].data, from[0].bytes);
    if (shelf_ != nullptr && state_->copies.size() <= kMostPosted) {
      state_->copies.push_back({to[0].data, from[0].data, bytes});
    }
    return bytes;
  }
  state_->folded = true;
  AsConst(from, w.own);
  Walk walk(w.own);
  for (const Piece& piece : to) {
    for (size_t filled = 0; filled < piece.bytes;) {
      const size_t run = std::min(piece.bytes - filled, walk.run());
      Copy(static_cast<char*>(piece.data) + filled, walk.data(), run);
      filled += run;
      walk.Take(run);
    }
  }
  return bytes;
}

void Execution::Consume(uint64_t token, uint64_t offset,
                        absl::Span<const absl::Span<const ConstPiece>> operands) {
  const uint64_t tag = token & ((uint64_t{1} << kTagBits) - 1);
  const Fold& fold = state_->folds[(tag >> kLaneBits) - 1];
  const size_t size = SizeOf(request_.type);
  Workspace& w = workspace();
  std::vector<const void*>& runs = w.operands;
  runs.clear();
  const auto one = [](const auto& list) { return list.size() == 1; };
  if (one(fold.dst) && (fold.alone || one(fold.src)) &&
      std::all_of(operands.begin(), operands.end(), one)) {
    const auto own = [&] { runs.push_back(static_cast<const char*>(fold.src[0].data) + offset); };
    if (!fold.alone && !fold.incoming_first) own();
    for (absl::Span<const ConstPiece> operand : operands) runs.push_back(operand[0].data);
    if (!fold.alone && fold.incoming_first) own();
    return Combine(static_cast<char*>(fold.dst[0].data) + offset, runs, operands[0][0].bytes / size);
  }
  AsConst(fold.src, w.own);
  AsConst(fold.dst, w.target);
  std::vector<Walk>& walks = w.walks;
  walks.clear();
  if (!fold.alone && !fold.incoming_first) walks.emplace_back(w.own, offset);
  for (absl::Span<const ConstPiece> operand : operands) walks.emplace_back(operand);
  if (!fold.alone && fold.incoming_first) walks.emplace_back(w.own, offset);
  Walk out(w.target, offset);
  runs.resize(walks.size());
  while (!out.done() &&
         std::none_of(walks.begin(), walks.end(), [](const Walk& walk) { return walk.done(); })) {
    size_t run = out.run();
    for (const Walk& walk : walks) run = std::min(run, walk.run());
    for (size_t i = 0; i < walks.size(); ++i) runs[i] = walks[i].data();
    Combine(const_cast<char*>(out.data()), runs, run / size);
    for (Walk& walk : walks) walk.Take(run);
    out.Take(run);
  }
}

void Execution::Finish() {
  if (request_.op != ReduceOp::kAvg || request_.custom != nullptr || request_.phantom ||
      !Reduces(request_.collective) || Scales(request_)) {
    return;
  }
  DivideBy(request_.type, request_.out, state_->binding.OutputElements(), program_->info().ranks);
}

}  // namespace ccl
