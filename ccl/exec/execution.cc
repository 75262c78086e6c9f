#include "ccl/exec/execution.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/compute.h"
#include "ccl/exec/launch.h"

namespace ccl {
namespace {

// The request as the program sees it; `scaled` is its input's memory, if it takes any.
Request Scaled(const Program& program, int rank, const Request& request, bool scales,
               std::unique_ptr<char[]>& scaled) {
  Request bound = request;
  const ProgramInfo& info = program.info();
  const BlockWindow in = InputWindow(info, rank), out = OutputWindow(info, rank);
  if (!scales || in.blocks == 0) return bound;
  if (request.blocks != nullptr) {
    auto dense = std::make_shared<Blocks>(*request.blocks);
    dense->in = BlockList::Dense(dense->in.counts);
    scaled.reset(new char[dense->in.Total() * SizeOf(request.type)]);
    bound.in = scaled.get();
    bound.blocks = std::move(dense);
    return bound;
  }
  if (in.first == out.first && in.blocks == out.blocks) {
    bound.in = request.out;  // in place, as any program may run
    return bound;
  }
  const uint64_t elements = info.space.BlockOffset(in.first + in.blocks, request.count) -
                            info.space.BlockOffset(in.first, request.count);
  scaled.reset(new char[elements * SizeOf(request.type)]);
  bound.in = scaled.get();
  return bound;
}

}  // namespace

Execution::State::State(const Program& program, int rank, const Request& asked)
    : request(Scaled(program, rank, asked, Scales(asked), scaled)), binding(program, rank, request) {}

Execution::Execution(std::shared_ptr<const Program> program, int rank, uint32_t context,
                     Request request, RankMap map)
    : program_(std::move(program)),
      rank_(rank),
      context_(context),
      map_(std::move(map)),
      request_(std::move(request)) {
  if (!request_.phantom) state_ = std::make_unique<State>(*program_, rank_, request_);
}

absl::string_view Describe(Whole whole) {
  switch (whole) {
    case Whole::kFolded:
      return "folded by symmetry";
    case Whole::kBytes:
      return "real bytes are moved";
    case Whole::kProgram:
      return "the algorithm promises no symmetry that suits the fabric";
    case Whole::kChunks:
      return "chunks have different lengths";
    case Whole::kMachine:
      return "the fabric has no symmetry, or is not to use it";
    case Whole::kArrivals:
      return "not one collective of all ranks alone";
  }
  return "";
}

Symmetry Execution::SymmetryOf() const {
  const ProgramInfo& info = program_->info();
  if (!request_.phantom) return {Whole::kBytes};
  if (!map_.identity()) return {Whole::kArrivals};
  if (info.rank_groups > 0 || info.shift == info.ranks) return {Whole::kProgram};
  if (!info.space.EvenFor(request_.count)) return {Whole::kChunks};
  return {Whole::kFolded, info.shift};
}

bool Execution::Like(const Work& other) const {
  const auto* same = dynamic_cast<const Execution*>(&other);
  return same != nullptr && program_ == same->program_ && context_ == same->context_ &&
         request_.count == same->request_.count && request_.type == same->request_.type &&
         request_.phantom == same->request_.phantom;
}

void Execution::Start(Backend& backend) {
  if (state_ == nullptr) state_ = std::make_unique<State>(*program_, rank_, request_);
  State& s = *state_;
  hot_ = &s;
  s.started = true;
  s.lanes.resize(program_->info().lanes);
  for (uint32_t i = 0; i < s.lanes.size(); ++i) {
    s.lanes[i].batches = program_->batches(rank_, i);
    if (s.lanes[i].batches > 0) ++s.running;
  }
  const Topology& topology = backend.topology();
  const int ranks = program_->info().ranks;
  const Time launch = topology.LaunchTime(request_.collective, PlanBytes(request_, ranks), ranks);
  s.launching = PostLaunch(backend, map_.world(rank_), launch, Token(0));
  if (!s.launching) Begin(backend);
}

void Execution::Begin(Backend& backend) {
  if (Scales(request_)) Scale();
  if (state_->running == 0) return Finish();
  if (state_->remembered && PostAgain(backend)) return;
  Advance(backend);
}

void Execution::Complete(uint64_t tag, Backend& backend) {
  State& s = *state_;
  if (s.launching) {
    s.launching = false;
    return Begin(backend);
  }
  Lane& lane = s.lanes[tag & kLaneMask];
  const uint64_t fold = tag >> kLaneBits;
  if (fold > 0) s.free_folds.push_back(static_cast<uint32_t>(fold - 1));
  if (--lane.outstanding > 0) return;
  ++lane.completed;
  if (lane.completed == lane.batches && --s.running == 0) return Finish();
  Advance(backend);
}

size_t Execution::outstanding() const {
  if (state_ == nullptr) return 0;
  size_t sum = state_->launching ? 1 : 0;
  for (const Lane& lane : state_->lanes) sum += lane.outstanding;
  return sum;
}

bool Execution::Holds(const Lane& lane) const {
  for (const Dep& dep : *lane.deps) {
    if (state_->lanes[dep.lane].completed < dep.batches) return false;
  }
  return true;
}

void Execution::Advance(Backend& backend) {
  State& s = *state_;
  // A batch that completes at once may release lanes that were passed over.
  for (bool again = true; again;) {
    again = false;
    for (uint32_t i = 0; i < s.lanes.size(); ++i) {
      Lane& lane = s.lanes[i];
      while (lane.outstanding == 0 && lane.completed < lane.batches) {
        if (lane.waits && !Holds(lane)) break;
        if (!Issue(i, backend)) break;
        if (lane.outstanding > 0) break;
        ++lane.completed;
        if (lane.completed == lane.batches) --s.running;
        again = true;
      }
    }
  }
  if (s.running == 0) Finish();
}

bool Execution::Issue(uint32_t index, Backend& backend) {
  Lane& lane = state_->lanes[index];
  Workspace& w = workspace();
  w.list.Clear();
  program_->Fetch(rank_, index, lane.next, w.list);
  if (!lane.waits && !w.list.deps.empty()) {
    if (lane.deps == nullptr) lane.deps = std::make_unique<std::vector<Dep>>();
    *lane.deps = w.list.deps;
    if (!Holds(lane)) {
      lane.waits = true;
      return false;
    }
  }
  lane.waits = false;
  ++lane.next;
  for (const Step& step : w.list.steps) {
    AddOperation(index, step, backend);
    if (w.operations.size() == kMostPosted) PostAll(lane, backend);
  }
  PostAll(lane, backend);
  return true;
}

void Execution::PostAll(Lane& lane, Backend& backend) {
  Workspace& w = workspace();
  if (w.operations.empty()) {
    if (shelf_ != nullptr && lane.outstanding == 0) Remember();
    return;
  }
  // Spans into the vector of pieces are taken when it has stopped growing.
  if (!w.pieces.empty()) {
    w.const_pieces.clear();
    for (const Piece& piece : w.pieces) w.const_pieces.push_back({piece.data, piece.bytes});
    for (size_t i = 0; i < w.operations.size(); ++i) {
      const Workspace::Range& range = w.ranges[i];
      w.operations[i].src = {w.const_pieces.data() + range.src, range.src_count};
      w.operations[i].dst = {w.pieces.data() + range.dst, range.dst_count};
    }
  }
  lane.outstanding += static_cast<uint32_t>(w.operations.size());
  if (shelf_ != nullptr) Remember();
  backend.Post(map_.world(rank_), w.operations);
  w.operations.clear();
  w.pieces.clear();
  w.ranges.clear();
}

void Execution::AddOperation(uint32_t index, const Step& step, Backend& backend) {
  Workspace& w = workspace();
  const absl::Span<const Ref> src = w.list.src(step), dst = w.list.dst(step);
  Operation& operation = w.operations.emplace_back();
  operation.channel = step.channel;
  operation.peer = step.peer == kEveryMember ? kEveryMember : map_.world(step.peer);
  operation.context = context_;
  operation.token = Token(index);
  Workspace::Range range;
  const auto read = [&] {
    if (request_.phantom) return;
    range.src = w.pieces.size();
    state_->binding.Pieces(src, w.pieces);
    range.src_count = w.pieces.size() - range.src;
  };
  const auto write = [&] {
    if (request_.phantom) return;
    range.dst = w.pieces.size();
    state_->binding.Pieces(dst, w.pieces);
    range.dst_count = w.pieces.size() - range.dst;
  };
  switch (step.kind) {
    case StepKind::kSend:
      operation.kind = OperationKind::kSend;
      operation.bytes = state_->binding.Bytes(src);
      read();
      break;
    case StepKind::kRecv:
      operation.kind = OperationKind::kRecv;
      operation.bytes = state_->binding.Bytes(dst);
      write();
      break;
    case StepKind::kRecvReduce: {
      operation.kind = OperationKind::kRecvReduce;
      operation.bytes = state_->binding.Bytes(dst);
      if (request_.phantom) break;
      Fold& fold = NewFold(index, operation);
      fold.alone = false;
      fold.incoming_first = step.incoming_first;
      state_->binding.Pieces(src, fold.src);
      state_->binding.Pieces(dst, fold.dst);
      break;
    }
    case StepKind::kGroupReduce:
    case StepKind::kGroupCopy: {
      const bool reduces = step.kind == StepKind::kGroupReduce;
      operation.kind = reduces ? OperationKind::kGroupReduce : OperationKind::kGroupCopy;
      operation.bytes = state_->binding.Bytes(src.empty() ? dst : src);
      operation.group = {step.group, WorldGroup(step.group)};
      read();
      write();
      if (!reduces || dst.empty() || request_.phantom) break;
      Fold& fold = NewFold(index, operation);
      fold.alone = true;
      state_->binding.Pieces(dst, fold.dst);
      break;
    }
    case StepKind::kReconfigure:
      operation.kind = OperationKind::kReconfigure;
      operation.group = {step.group, WorldGroup(step.group)};
      break;
    case StepKind::kCopy:
    case StepKind::kReduce:
      operation.bytes = LocalStep(step, operation.kind);
      if (operation.bytes == 0 || !backend.abilities().models_compute) {
        w.operations.pop_back();
        return;
      }
      break;
  }
  if (!request_.phantom) w.ranges.push_back(range);
}

absl::Span<const int> Execution::WorldGroup(uint32_t group) {
  const absl::Span<const int> ranks = program_->RankGroup(group);
  if (map_.identity()) return ranks;
  if (state_->groups == nullptr) state_->groups = std::make_unique<std::map<uint32_t, std::vector<int>>>();
  std::vector<int>& translated = (*state_->groups)[group];
  if (translated.empty()) {
    for (int rank : ranks) translated.push_back(map_.world(rank));
  }
  return translated;
}

Execution::Fold& Execution::NewFold(uint32_t lane, Operation& operation) {
  if (state_->free_folds.empty()) {
    state_->free_folds.push_back(static_cast<uint32_t>(state_->folds.size()));
    state_->folds.emplace_back();
  }
  const uint32_t number = state_->free_folds.back();
  state_->free_folds.pop_back();
  operation.consumer = this;
  operation.token = Token(static_cast<uint64_t>(number + 1) << kLaneBits | lane);
  Fold& fold = state_->folds[number];
  fold.src.clear();
  fold.dst.clear();
  return fold;
}

std::string Execution::Describe() const {
  std::string text = absl::StrCat("rank ", rank_, " in ", Name(request_.collective), " (",
                                  program_->info().name, ", count ", request_.count, ")");
  if (state_ == nullptr) return text;
  for (uint32_t i = 0; i < state_->lanes.size(); ++i) {
    const Lane& lane = state_->lanes[i];
    if (lane.completed == lane.batches || lane.outstanding == 0) continue;
    StepList list;
    program_->Fetch(rank_, i, lane.next - 1, list);
    absl::StrAppend(&text, " lane ", i, " batch ", lane.next - 1, " of ", lane.batches, ":");
    int shown = 0;
    for (const Step& step : list.steps) {
      if (step.kind == StepKind::kGroupReduce || step.kind == StepKind::kGroupCopy) {
        if (shown++ < 4) {
          absl::StrAppend(&text,
                          step.kind == StepKind::kGroupReduce ? " group reduction" : " group copy",
                          " of ", program_->RankGroup(step.group).size(), " ranks",
                          step.peer == kEveryMember ? "" : absl::StrCat(", root ", step.peer));
        }
        continue;
      }
      if (step.kind > StepKind::kRecvReduce || shown++ >= 4) continue;
      absl::StrAppend(&text, step.kind == StepKind::kSend ? " send to " : " receive from ",
                      step.peer);
    }
  }
  return text;
}

}  // namespace ccl
