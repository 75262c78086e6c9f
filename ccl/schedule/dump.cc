#include "ccl/schedule/dump.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace ccl {
namespace {

std::string List(absl::Span<const Ref> refs, absl::string_view separator = ",") {
  return absl::StrJoin(refs, separator,
                       [](std::string* out, const Ref& ref) { out->append(ToString(ref)); });
}

std::string Space(const ChunkSpace& space) {
  static constexpr absl::string_view kKinds[] = {"split", "per block", "ragged", "pairs"};
  return absl::StrCat(kKinds[static_cast<int>(space.kind())], " ", space.blocks(), "x",
                      space.slices());
}

std::string Header(const ProgramInfo& info) {
  std::string text = absl::StrCat(info.name, " ", Name(info.collective), ": ranks ", info.ranks);
  if (HasRoot(info.collective)) absl::StrAppend(&text, ", root ", info.root);
  absl::StrAppend(&text, ", ", Space(info.space), ", lanes ", info.lanes, ", channels ",
                  info.channels);
  if (info.rank_groups > 0) absl::StrAppend(&text, ", groups ", info.rank_groups);
  if (info.shift < info.ranks) absl::StrAppend(&text, ", shift ", info.shift);
  return absl::StrCat(text, "\n");
}

}  // namespace

std::string ToString(const Ref& ref) {
  static constexpr absl::string_view kNames[] = {"in", "out", "scratch"};
  std::string text(kNames[static_cast<int>(ref.buffer)]);
  if (ref.buffer == Buffer::kScratch) absl::StrAppend(&text, ".", ref.slot);
  if (ref.count == 1) return absl::StrCat(text, "[", ref.first, "]");
  return absl::StrCat(text, "[", ref.first, ":", uint64_t{ref.first} + ref.count, "]");
}

std::string ToString(const StepList& list, const Step& step) {
  const std::string src = List(list.src(step)), dst = List(list.dst(step));
  const std::string wire = absl::StrCat(step.peer, "/", step.channel);
  const std::string group = absl::StrCat(step.group, "/", step.channel);
  const auto with = [](absl::string_view text, absl::string_view refs) {
    return refs.empty() ? std::string(text) : absl::StrCat(text, " ", refs);
  };
  switch (step.kind) {
    case StepKind::kSend:
      return with(absl::StrCat("send ", wire), src);
    case StepKind::kRecv:
      return with(absl::StrCat("recv ", wire), dst);
    case StepKind::kRecvReduce:
      return step.incoming_first
                 ? absl::StrCat("recv_reduce ", wire, " ", dst, " = incoming + ", src)
                 : absl::StrCat("recv_reduce ", wire, " ", dst, " = ", src, " + incoming");
    case StepKind::kCopy:
      return absl::StrCat("copy ", dst, " = ", src);
    case StepKind::kReduce:
      return absl::StrCat("reduce ", dst, " = ", List(list.src(step), " + "));
    case StepKind::kGroupReduce:
      return absl::StrCat("group_reduce ", group, " root ",
                          step.peer == kEveryMember ? "every" : absl::StrCat(step.peer),
                          dst.empty() ? "" : absl::StrCat(" ", dst, " ="), " ", src);
    case StepKind::kGroupCopy:
      return absl::StrCat("group_copy ", group, " root ", step.peer, " ", dst,
                          src.empty() ? "" : absl::StrCat(" = ", src));
    case StepKind::kReconfigure:
      return absl::StrCat("reconfigure ", group);
  }
  return "unknown step";
}

std::string Dump(const Program& program, const DumpOptions& options) {
  const ProgramInfo& info = program.info();
  std::string text = Header(info);
  size_t lines = 0, left_out = 0;
  StepList list;
  ScratchAreas areas;
  for (int rank = 0; rank < info.ranks; ++rank) {
    if (options.rank != kAllRanks && options.rank != rank) continue;
    areas.clear();
    program.Scratch(rank, areas);
    if (!areas.empty() && lines < options.max_lines) {
      absl::StrAppend(&text, "rank ", rank, " scratch: ",
                      absl::StrJoin(areas, ", ",
                                    [](std::string* out, const ScratchArea& area) {
                                      absl::StrAppend(out, area.slots, " x [", area.first_block,
                                                      ":", area.first_block + area.blocks, "]");
                                    }),
                      "\n");
    }
    for (uint32_t lane = 0; lane < info.lanes; ++lane) {
      const uint32_t batches = program.batches(rank, lane);
      for (uint32_t batch = 0; batch < batches; ++batch, ++lines) {
        if (lines >= options.max_lines) {
          ++left_out;
          continue;
        }
        list.Clear();
        program.Fetch(rank, lane, batch, list);
        list.Flatten();
        absl::StrAppend(&text, "rank ", rank, " lane ", lane, " batch ", batch);
        for (const Dep& dep : list.deps) {
          absl::StrAppend(&text, " after ", dep.lane, ":", dep.batches);
        }
        absl::StrAppend(&text, list.steps.empty() ? ":" : ": ",
                        absl::StrJoin(list.steps, "; ",
                                      [&list](std::string* out, const Step& step) {
                                        out->append(ToString(list, step));
                                      }),
                        "\n");
      }
    }
  }
  if (left_out > 0) absl::StrAppend(&text, "... ", left_out, " more batches\n");
  return text;
}

}  // namespace ccl
