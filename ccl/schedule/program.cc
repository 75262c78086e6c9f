#include "ccl/schedule/program.h"

#include <algorithm>
#include <utility>

namespace ccl {

void StepList::Clear() {
  steps.clear();
  refs.clear();
  deps.clear();
}

namespace {

bool Repeats(const Ref& ref) { return ref.repeat > 1; }

void Append(const Ref& ref, std::vector<Ref>& out) {
  Ref run = ref;
  run.repeat = 1;
  run.stride = 0;
  for (uint32_t i = 0; i < ref.repeat; ++i, run.first += ref.stride) out.push_back(run);
}

}  // namespace

void StepList::Flatten() {
  if (std::none_of(refs.begin(), refs.end(), Repeats)) return;
  std::vector<Ref>& runs = Spare().src;
  for (Step& step : steps) {
    const absl::Span<const Ref> from = src(step), to = dst(step);
    const uint32_t begin = static_cast<uint32_t>(runs.size());
    for (const Ref& ref : from) Append(ref, runs);
    const uint32_t middle = static_cast<uint32_t>(runs.size());
    for (const Ref& ref : to) Append(ref, runs);
    step.src_begin = begin;
    step.src_count = middle - begin;
    step.dst_begin = middle;
    step.dst_count = static_cast<uint32_t>(runs.size()) - middle;
  }
  refs.swap(runs);
}

StepList& StepList::Inner() {
  if (inner_ == nullptr) inner_ = std::make_unique<StepList>();
  inner_->Clear();
  return *inner_;
}

StepList::Lists StepList::Spare() {
  spare_src_.clear();
  spare_dst_.clear();
  return {spare_src_, spare_dst_};
}

Step& StepList::Add(StepKind kind, absl::Span<const Ref> src, absl::Span<const Ref> dst) {
  Step& step = steps.emplace_back();
  step.kind = kind;
  step.src_begin = static_cast<uint32_t>(refs.size());
  step.src_count = static_cast<uint32_t>(src.size());
  for (const Ref& ref : src) refs.push_back(ref);  // one, nearly always
  step.dst_begin = static_cast<uint32_t>(refs.size());
  step.dst_count = static_cast<uint32_t>(dst.size());
  for (const Ref& ref : dst) refs.push_back(ref);
  return step;
}

void StepList::Send(int peer, uint32_t channel, absl::Span<const Ref> src) {
  Step& step = Add(StepKind::kSend, src, {});
  step.peer = peer;
  step.channel = static_cast<uint16_t>(channel);
}

void StepList::Recv(int peer, uint32_t channel, absl::Span<const Ref> dst) {
  Step& step = Add(StepKind::kRecv, {}, dst);
  step.peer = peer;
  step.channel = static_cast<uint16_t>(channel);
}

void StepList::RecvReduce(int peer, uint32_t channel, absl::Span<const Ref> src,
                          absl::Span<const Ref> dst, bool incoming_first) {
  Step& step = Add(StepKind::kRecvReduce, src, dst);
  step.peer = peer;
  step.channel = static_cast<uint16_t>(channel);
  step.incoming_first = incoming_first;
}

void StepList::Copy(absl::Span<const Ref> src, absl::Span<const Ref> dst) {
  Add(StepKind::kCopy, src, dst);
}

void StepList::Reduce(absl::Span<const Ref> operands, Ref dst) {
  Add(StepKind::kReduce, operands, {&dst, 1});
}

void StepList::GroupReduce(uint32_t group, int root, uint32_t channel, absl::Span<const Ref> src,
                           absl::Span<const Ref> dst) {
  Step& step = Add(StepKind::kGroupReduce, src, dst);
  step.group = group;
  step.peer = root;
  step.channel = static_cast<uint16_t>(channel);
}

void StepList::GroupCopy(uint32_t group, int root, uint32_t channel, absl::Span<const Ref> src,
                         absl::Span<const Ref> dst) {
  Step& step = Add(StepKind::kGroupCopy, src, dst);
  step.group = group;
  step.peer = root;
  step.channel = static_cast<uint16_t>(channel);
}

void StepList::Reconfigure(uint32_t group, uint32_t matching) {
  Step& step = Add(StepKind::kReconfigure, {}, {});
  step.group = group;
  step.channel = static_cast<uint16_t>(matching);
}

Program::Program(ProgramInfo info) : info_(std::move(info)) {
  if (info_.shift == 0) info_.shift = info_.ranks;
}

void Program::Scratch(int, ScratchAreas&) const {}

absl::Span<const int> Program::RankGroup(uint32_t) const { return {}; }

BlockWindow InputWindow(const ProgramInfo& info, int rank) {
  const uint32_t all = info.space.blocks();
  const uint32_t own = static_cast<uint32_t>(rank);
  switch (EvenForm(info.collective)) {
    case Collective::kAllReduce:
    case Collective::kReduceScatter:
    case Collective::kReduce:
    case Collective::kAllToAll:
    case Collective::kScan:
    case Collective::kExscan:
      return {0, all};
    case Collective::kAllGather:
    case Collective::kGather:
      return {own, 1};
    case Collective::kBroadcast:
    case Collective::kScatter:
      return rank == info.root ? BlockWindow{0, all} : BlockWindow{};
    default:
      return {};
  }
}

BlockWindow OutputWindow(const ProgramInfo& info, int rank) {
  const uint32_t all = info.space.blocks();
  const uint32_t own = static_cast<uint32_t>(rank);
  switch (EvenForm(info.collective)) {
    case Collective::kAllReduce:
    case Collective::kAllGather:
    case Collective::kAllToAll:
    case Collective::kBroadcast:
    case Collective::kScan:
      return {0, all};
    case Collective::kExscan:
      return rank == 0 ? BlockWindow{} : BlockWindow{0, all};
    case Collective::kReduceScatter:
    case Collective::kScatter:
      return {own, 1};
    case Collective::kReduce:
    case Collective::kGather:
      return rank == info.root ? BlockWindow{0, all} : BlockWindow{};
    default:
      return {};
  }
}

}  // namespace ccl
