#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ccl/schedule/dump.h"
#include "ccl/schedule/verify_simulation.h"

namespace ccl {

// Walks the chunks of a list of runs, a stretch at a time.
class Simulation::Cursor {
 public:
  Cursor(const Layout& layout, int rank, absl::Span<const Ref> refs)
      : layout_(layout), rank_(rank), ref_(refs.data()), end_(refs.data() + refs.size()) {}

  // Chunks left of the current run; 0 at the end of the list.
  uint32_t Left() {
    if (left == 0 && ref_ != end_) {
      layout_.Locate(rank_, *ref_, location);
      buffer = ref_->buffer;
      chunk = ref_->first;
      left = ref_->count;
      ++ref_;
    }
    return left;
  }
  void Skip(uint32_t n) {
    location += n;
    chunk += n;
    left -= n;
  }

  uint32_t location = 0, chunk = 0, left = 0;
  Buffer buffer = Buffer::kIn;

 private:
  const Layout& layout_;
  const int rank_;
  const Ref* ref_;
  const Ref* const end_;
};

bool Simulation::CheckStep(Site site) {
  const Step& step = StepAt(site);
  const int rank = RankOf(site.lane);
  for (const Ref& ref : Src(site)) {
    uint32_t location;
    if (!layout_.Locate(rank, ref, location)) {
      return Fail(site, absl::StrCat(ToString(ref), " is outside the rank's buffers"));
    }
  }
  for (const Ref& ref : Dst(site)) {
    uint32_t location;
    if (!layout_.Locate(rank, ref, location)) {
      return Fail(site, absl::StrCat(ToString(ref), " is outside the rank's buffers"));
    }
    if (ref.buffer == Buffer::kIn) return Fail(site, "writes the input");
    if (ref.buffer == Buffer::kScratch && info_.space.kind() == ChunkSpace::Kind::kPairs) {
      return Fail(site, "keeps in scratch what has a length at its two ends only");
    }
  }
  const bool message = step.kind == StepKind::kSend || step.kind == StepKind::kRecv ||
                       step.kind == StepKind::kRecvReduce;
  const bool group = step.kind == StepKind::kGroupReduce || step.kind == StepKind::kGroupCopy;
  if ((message || group) && step.channel >= info_.channels) {
    return Fail(site, absl::StrCat("the program has ", info_.channels, " channels"));
  }
  if (message && (step.peer < 0 || step.peer >= info_.ranks || step.peer == rank)) {
    return Fail(site, "no such peer");
  }
  if ((group || step.kind == StepKind::kReconfigure) && step.group >= info_.rank_groups) {
    return Fail(site, absl::StrCat("the program has ", info_.rank_groups, " rank groups"));
  }
  const bool folds = step.kind == StepKind::kRecvReduce || step.kind == StepKind::kReduce ||
                     step.kind == StepKind::kGroupReduce;
  if (folds && !reduces_ && step.src_count > 0) {
    return Fail(site, "reduces in a collective that only moves data");
  }
  return CheckShape(site);
}

bool Simulation::CheckShape(Site site) {
  const Step& step = StepAt(site);
  if (step.kind == StepKind::kReduce) {
    if (step.dst_count != 1 || step.src_count == 0) return Fail(site, "has no operands");
    const Ref& dst = Dst(site)[0];
    for (const Ref& ref : Src(site)) {
      if (ref.count != dst.count || LengthOf(RankOf(site.lane), ref.buffer, ref.first) !=
                                        LengthOf(RankOf(site.lane), dst.buffer, dst.first)) {
        return Fail(site, absl::StrCat(ToString(ref), " is not as long as ", ToString(dst)));
      }
    }
    return true;
  }
  if (step.kind != StepKind::kRecvReduce && step.kind != StepKind::kCopy) return true;
  const int rank = RankOf(site.lane);
  Cursor src(layout_, rank, Src(site)), dst(layout_, rank, Dst(site));
  const bool pairs = info_.space.kind() == ChunkSpace::Kind::kPairs;
  while (uint32_t n = std::min(src.Left(), dst.Left())) {
    if (pairs) n = 1;  // the next has a length of its own
    if (LengthOf(rank, src.buffer, src.chunk) != LengthOf(rank, dst.buffer, dst.chunk)) break;
    src.Skip(n);
    dst.Skip(n);
  }
  if (src.Left() > 0 || dst.Left() > 0) return Fail(site, "operand and result differ in shape");
  return true;
}

bool Simulation::Raced(Site site, uint32_t location, bool write) {
  return Fail(site, absl::StrCat("race: ", write ? "writes " : "reads ",
                                 ToString(layout_.Name(RankOf(site.lane), location)), ", ",
                                 races_->Conflict()));
}

bool Simulation::AccessRun(Site site, const Ref& ref, bool write) {
  uint32_t location = 0;
  layout_.Locate(RankOf(site.lane), ref, location);
  for (const uint32_t end = location + ref.count; location < end; ++location) {
    const bool fine =
        write ? races_->Write(location, site.step, false) : races_->Read(location, site.step);
    if (!fine) return Raced(site, location, write);
  }
  return true;
}

// Registers what the step reads and writes.
bool Simulation::Access(Site site) {
  if (!races_) return true;
  for (const Ref& ref : Src(site)) {
    if (!AccessRun(site, ref, false)) return false;
  }
  const StepKind kind = StepAt(site).kind;
  if (kind == StepKind::kRecv || Src(site).empty()) {
    for (const Ref& ref : Dst(site)) {
      if (!AccessRun(site, ref, true)) return false;
    }
    return true;
  }
  return Dst(site).empty() || WriteWithOperands(site);
}

// A result may lie where an operand of the same chunk lies. A copy onto itself writes nothing.
bool Simulation::WriteWithOperands(Site site) {
  const StepKind kind = StepAt(site).kind;
  const int rank = RankOf(site.lane);
  if (kind == StepKind::kReduce) {
    uint32_t dst = 0;
    layout_.Locate(rank, Dst(site)[0], dst);
    bool own = false;
    for (const Ref& ref : Src(site)) {
      uint32_t src = 0;
      layout_.Locate(rank, ref, src);
      own |= src == dst;
    }
    for (uint32_t i = 0; i < Dst(site)[0].count; ++i) {
      if (!races_->Write(dst + i, site.step, own)) return Raced(site, dst + i, true);
    }
    return true;
  }
  const bool copies = kind == StepKind::kCopy || kind == StepKind::kGroupCopy;
  Cursor src(layout_, rank, Src(site)), dst(layout_, rank, Dst(site));
  while (const uint32_t n = std::min(src.Left(), dst.Left())) {
    const bool own = src.location == dst.location;
    for (uint32_t i = 0; i < n && !(own && copies); ++i) {
      if (!races_->Write(dst.location + i, site.step, own)) {
        return Raced(site, dst.location + i, true);
      }
    }
    src.Skip(n);
    dst.Skip(n);
  }
  return true;
}

bool Simulation::Post(Site site) {
  switch (StepAt(site).kind) {
    case StepKind::kSend:
    case StepKind::kRecv:
    case StepKind::kRecvReduce:
      return PostMessage(site);
    case StepKind::kCopy:
      return Copy(site);
    case StepKind::kReduce:
      return Reduce(site);
    case StepKind::kGroupReduce:
    case StepKind::kGroupCopy:
    case StepKind::kReconfigure:
      return PostGroup(site);
  }
  return Fail(site, "unknown kind of step");
}

void Simulation::Wait(Site site, Wires::Wire& wire, bool sends) {
  wire.sends_wait = sends;
  if (wire.head == Wires::kNone) {
    wire.head = site.step;
  } else {
    Lane& lane = lanes_[site.lane];
    lane.next_on_wire.resize(std::max(lane.next_on_wire.size(), lane.list.steps.size()));
    lane.next_on_wire[wire.tail] = site.step;
  }
  wire.tail = site.step;
}

bool Simulation::PostMessage(Site site) {
  const Step& step = StepAt(site);
  const bool sends = step.kind == StepKind::kSend;
  const uint64_t self = static_cast<uint64_t>(RankOf(site.lane));
  const uint64_t peer = static_cast<uint64_t>(step.peer);
  const uint64_t ranks = static_cast<uint64_t>(info_.ranks);
  const uint64_t pair = sends ? self * ranks + peer : peer * ranks + self;
  Wires::Wire& wire = wires_[pair * info_.channels + step.channel];
  uint16_t& user = sends ? wire.sender : wire.receiver;
  const uint32_t own = site.lane % info_.lanes;
  if (user == 0) user = static_cast<uint16_t>(own + 1);
  if (user != own + 1) return Fail(site, absl::StrCat("lane ", user - 1, " uses the channel too"));
  if (wire.head == Wires::kNone || wire.sends_wait == sends) {
    Wait(site, wire, sends);
    return true;
  }
  const uint32_t there = (sends ? wire.receiver : wire.sender) - 1u;
  const Site other{static_cast<uint32_t>(peer) * info_.lanes + there, wire.head};
  wire.head = wire.head == wire.tail ? Wires::kNone : lanes_[other.lane].next_on_wire[wire.head];
  if (!(sends ? Transfer(site, other) : Transfer(other, site))) return false;
  Finish(other.lane);
  Finish(site.lane);
  return true;
}

bool Simulation::Transfer(Site from, Site to) {
  const int sender = RankOf(from.lane), receiver = RankOf(to.lane);
  const Step& step = StepAt(to);
  const bool reduces = step.kind == StepKind::kRecvReduce;
  ++report_.messages;
  Cursor src(layout_, sender, Src(from)), dst(layout_, receiver, Dst(to));
  Cursor own(layout_, receiver, Src(to));
  while (uint32_t n = std::min(src.Left(), dst.Left())) {
    if (LengthOf(sender, src.buffer, src.chunk) != LengthOf(receiver, dst.buffer, dst.chunk)) {
      return Fail(to, absl::StrCat("chunk ", dst.chunk, " receives chunk ", src.chunk, " of ",
                                   Name(from), ", of another length"));
    }
    if (reduces) n = std::min(n, own.Left());
    if (info_.space.kind() == ChunkSpace::Kind::kPairs) n = 1;  // the next has a length of its own
    for (uint32_t i = 0; i < n; ++i) {
      const Value& sent = values_[src.location + i];
      if (sent.chunk == kUndefined && !Defined(from, src.location + i)) return false;
      Value& into = values_[dst.location + i];
      if (!reduces) {
        into = sent;
        continue;
      }
      const Value& kept = values_[own.location + i];
      if (kept.chunk == kUndefined && !Defined(to, own.location + i)) return false;
      if (!(step.incoming_first ? Merge(to, sent, kept, into) : Merge(to, kept, sent, into))) {
        return false;
      }
    }
    report_.chunk_moves += n;
    src.Skip(n);
    dst.Skip(n);
    if (reduces) own.Skip(n);
  }
  if (src.Left() > 0 || dst.Left() > 0) {
    return Fail(to, absl::StrCat("receives ", src.Left() > 0 ? "more" : "fewer",
                                 " chunks than it has room for from ", Name(from)));
  }
  if (barrier_) {
    Lane& lane = lanes_[to.lane];
    lane.heard = sets_.Union(lane.heard, lanes_[from.lane].known);
  }
  return true;
}

bool Simulation::Copy(Site site) {
  const int rank = RankOf(site.lane);
  Cursor src(layout_, rank, Src(site)), dst(layout_, rank, Dst(site));
  while (const uint32_t n = std::min(src.Left(), dst.Left())) {
    for (uint32_t i = 0; i < n; ++i) {
      if (!Defined(site, src.location + i)) return false;
      values_[dst.location + i] = values_[src.location + i];
    }
    report_.chunk_moves += n;
    src.Skip(n);
    dst.Skip(n);
  }
  Finish(site.lane);
  return true;
}

bool Simulation::Reduce(Site site) {
  const int rank = RankOf(site.lane);
  const Ref& result = Dst(site)[0];
  const absl::Span<const Ref> operands = Src(site);
  uint32_t dst = 0;
  layout_.Locate(rank, result, dst);
  for (uint32_t i = 0; i < result.count; ++i) {
    Value sum;
    for (const Ref& operand : operands) {
      uint32_t src = 0;
      layout_.Locate(rank, operand, src);
      if (!Defined(site, src + i)) return false;
      if (&operand == operands.data()) {
        sum = values_[src + i];
      } else if (!Merge(site, sum, values_[src + i], sum, &operand > operands.data() + 1)) {
        return false;
      }
    }
    values_[dst + i] = sum;
  }
  report_.chunk_moves += uint64_t{result.count} * (operands.size() - 1);
  Finish(site.lane);
  return true;
}

bool Simulation::Defined(Site site, uint32_t location) {
  if (values_[location].chunk != kUndefined) return true;
  return Fail(site, absl::StrCat("reads ", ToString(layout_.Name(RankOf(site.lane), location)),
                                 ", which is undefined"));
}

bool Simulation::Merge(Site site, const Value& left, const Value& right, Value& into, bool held) {
  if (left.chunk != right.chunk) {
    return Fail(site, absl::StrCat("wrong chunk: folds ", left.chunk, " with ", right.chunk));
  }
  const RankSet ranks = sets_.DisjointUnion(left.ranks, right.ranks);
  if (ranks == RankSets::kOverlap) {
    return Fail(site,
                absl::StrCat("doubled reduction: chunk ", left.chunk, " of ranks ",
                             sets_.ToString(left.ranks), " and ", sets_.ToString(right.ranks)));
  }
  const bool once = RankSets::IsSingle(right.ranks) &&
                    (held ? (left.order & kFoldedOnce) != 0 : RankSets::IsSingle(left.ranks));
  into = {left.chunk, ranks, OrderOfFold(left.order, right.order) | (once ? kFoldedOnce : 0)};
  return true;
}

}  // namespace ccl
