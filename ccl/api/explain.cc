// What the library would do, without doing it.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/api/collect.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

constexpr unsigned int kExplanationMagic = 0xe4b1a1eu, kSimMagic = 0x74685283u, kVersion = 1;

// What a thread's last explanation points to.
struct Said {
  std::shared_ptr<const Plan> plan;
  std::vector<std::string> names;
  std::vector<cclCandidate_t> candidates;
  std::string text;
};
thread_local Said said;

// The request of a call without buffers.
absl::StatusOr<Request> Imagine(const Call& call, cclComm* comm) {
  CCL_ASSIGN_OR_RETURN(Request request, RequestOf(call, comm));
  CCL_RETURN_IF_ERROR(comm->communicator->ValidateCall(request));
  if (HasCounts(request.collective)) {
    auto blocks = std::make_shared<Blocks>();
    (Reduces(request.collective) ? blocks->in : blocks->out) = BlockList::Dense({call.count});
    request.blocks = std::move(blocks);
  }
  return request;
}

absl::Status Explain(const Call& call, cclComm* comm, const cclCallConfig_t* config,
                     cclExplanation_t* explanation) {
  CCL_RETURN_IF_ERROR(CheckComm(comm));
  const auto error = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("cclExplain: ", what...));
  };
  if (explanation == nullptr) return error("the explanation is null");
  if (explanation->magic != kExplanationMagic || explanation->size != sizeof *explanation ||
      explanation->version != kVersion) {
    return error("the explanation was not initialised with CCL_EXPLANATION_INITIALIZER");
  }
  const int collective = static_cast<int>(call.collective);
  if (collective < 0 || collective >= kCollectives) return error("unknown collective ", collective);
  CCL_ASSIGN_OR_RETURN(const Request request, Imagine(call, comm));
  CCL_ASSIGN_OR_RETURN(Choice choice, ChoiceOf(config));
  CCL_ASSIGN_OR_RETURN(said.plan, comm->communicator->PlanFor(request, std::move(choice)));
  const Plan& plan = *said.plan;
  const auto determinism = [&request](const AlgorithmSpec& spec) {
    return static_cast<cclDeterminism_t>(
        OrderMatters(request) ? ClassOf(OrderOf(spec, request.collective)) : Determinism::kShapeInvariant);
  };
  said.names.clear();
  said.candidates.clear();
  for (const Plan::Candidate& candidate : plan.candidates) said.names.push_back(Format(candidate.spec));
  for (size_t i = 0; i < plan.candidates.size(); ++i) {
    const Plan::Candidate& candidate = plan.candidates[i];
    said.candidates.push_back({said.names[i].c_str(), candidate.time / 1e6, determinism(candidate.spec)});
  }
  said.text = plan.Explain();
  explanation->choice = {plan.text.c_str(), plan.predicted / 1e6, determinism(plan.spec)};
  explanation->forced = plan.forced ? 1 : 0;
  explanation->reason = plan.reason.c_str();
  explanation->candidateCount = said.candidates.size();
  explanation->candidates = said.candidates.data();
  explanation->text = said.text.c_str();
  return absl::OkStatus();
}

absl::Status Simulate(cclSimInfo_t* info) {
  CCL_RETURN_IF_ERROR(NotInHostCall());
  Group& group = ThreadGroup();
  if (!group.open()) {
    return absl::FailedPreconditionError("cclGroupSimulateEnd without cclGroupStart");
  }
  const bool usable = info != nullptr && info->magic == kSimMagic && info->size == sizeof *info &&
                      info->version == kVersion;
  if (!usable) {
    group.Fail(absl::InvalidArgumentError(
        "cclGroupSimulateEnd: the info is null or was not initialised with CCL_SIM_INFO_INITIALIZER"));
  }
  double picoseconds = 0;
  CCL_RETURN_IF_ERROR(group.Simulate(picoseconds));
  if (usable) info->estimatedTime = static_cast<float>(picoseconds / 1e6);
  return absl::OkStatus();
}

}  // namespace
}  // namespace ccl::api

using namespace ccl::api;

extern "C" {

cclResult_t cclExplain(cclComm_t comm, cclCollective_t collective, size_t count, cclDataType_t type,
                       cclRedOp_t op, int root, const cclCallConfig_t* config,
                       cclExplanation_t* explanation) {
  return Report(Explain({static_cast<ccl::Collective>(collective), nullptr, nullptr, count, type,
                         static_cast<int>(op), root},
                        comm, config, explanation));
}

cclResult_t cclGroupSimulateEnd(cclSimInfo_t* info) { return Report(Simulate(info)); }

}  // extern "C"
