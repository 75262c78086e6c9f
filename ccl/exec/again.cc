// Executions that run the same call again.
#include <utility>

#include "ccl/backend/copy.h"
#include "ccl/exec/execution.h"

namespace ccl {

bool Execution::Repeats(const Request& request) {
  return request.custom == nullptr && request.blocks == nullptr && !request.phantom && !Scales(request);
}

void Execution::Again(uint32_t context, const void* in, void* out, uint64_t tag) {
  State& s = *state_;
  context_ = context;
  request_.in = s.request.in = in;
  request_.out = s.request.out = out;
  request_.tag = s.request.tag = tag;
  s.binding.Rebind(in, out);
  if (!s.remembered) s.copies.clear();
  s.running = 0;
  s.started = s.launching = s.folded = false;
  for (Lane& lane : s.lanes) {
    lane.next = lane.completed = lane.outstanding = 0;
    lane.waits = 0;
  }
}

void Execution::Return(std::unique_ptr<Work> self) {
  if (shelf_ == nullptr) return;
  Shelf& shelf = *shelf_;
  const std::shared_ptr<Shelf> held = shelf.closed() ? shelf_ : nullptr;  // outlives this
  self.release();
  shelf.Put(std::unique_ptr<Execution>(this));
}

// What is about to be posted, unless there was more before or will be after.
void Execution::Remember() {
  State& s = *state_;
  Workspace& w = workspace();
  if (s.folded || s.copies.size() > kMostPosted || s.lanes.size() != 1 || s.lanes[0].batches != 1 ||
      s.lanes[0].outstanding != w.operations.size() || w.operations.size() == kMostPosted) {
    s.remembered = false;
    return;
  }
  s.remembered = true;
  if (s.posted == nullptr) s.posted = std::make_unique<Posted>();
  Posted& posted = *s.posted;
  posted.in = request_.in;
  posted.out = request_.out;
  posted.operations.assign(w.operations.begin(), w.operations.end());
  posted.src.assign(w.const_pieces.begin(), w.const_pieces.end());
  posted.dst.assign(w.pieces.begin(), w.pieces.end());
  if (w.pieces.empty()) posted.src.clear();
  for (Operation& operation : posted.operations) {
    if (!operation.src.empty()) {
      operation.src = {posted.src.data() + (operation.src.data() - w.const_pieces.data()), operation.src.size()};
    }
    if (!operation.dst.empty()) {
      operation.dst = {posted.dst.data() + (operation.dst.data() - w.pieces.data()), operation.dst.size()};
    }
  }
}

bool Execution::PostAgain(Backend& backend) {
  State& s = *state_;
  Posted& posted = *s.posted;
  if (posted.in != request_.in || posted.out != request_.out) {
    s.remembered = false;
    s.copies.clear();
    return false;
  }
  for (const LocalCopy& copy : s.copies) Copy(copy.to, copy.from, copy.bytes);
  constexpr uint64_t kTag = (uint64_t{1} << kTagBits) - 1;
  for (Operation& operation : posted.operations) {
    operation.context = context_;
    operation.token = Token(operation.token & kTag);
  }
  s.free_folds.clear();  // the operations have theirs
  s.lanes[0].next = 1;
  s.lanes[0].outstanding = static_cast<uint32_t>(posted.operations.size());
  if (posted.operations.empty()) {
    s.lanes[0].completed = 1;
    s.running = 0;
    Finish();
    return true;
  }
  backend.Post(map_.world(rank_), posted.operations);
  return true;
}

}  // namespace ccl
