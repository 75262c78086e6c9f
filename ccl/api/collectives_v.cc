// The v-forms: collectives whose blocks have counts and displacements.
#include <optional>

#include "absl/strings/str_cat.h"
#include "ccl/api/collect.h"
#include "ccl/base/status.h"

namespace ccl::api {
namespace {

// The caller's description of one buffer: one block, or one of every rank, perhaps at the root only.
struct Side {
  bool one = false;
  size_t count = 0;
  const size_t* counts = nullptr;
  const size_t* displacements = nullptr;
  std::optional<int> root;  // the only rank that has it
};
Side One(size_t count) { return {true, count}; }
Side All(const size_t* counts, const size_t* displacements) {
  return {false, 0, counts, displacements};
}
Side AllAt(int root, const size_t* counts, const size_t* displacements) {
  return {false, 0, counts, displacements, root};
}

absl::StatusOr<BlockList> Read(const Side& side, absl::string_view name, int rank, int ranks) {
  if (side.one) return BlockList::Dense({side.count});
  if (side.root.has_value() && *side.root != rank) return BlockList();
  if (side.counts == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("the ", name, " counts are null"));
  }
  BlockList list = BlockList::Dense({side.counts, side.counts + ranks});
  if (side.displacements != nullptr) {
    list.displacements.assign(side.displacements, side.displacements + ranks);
  }
  return list;
}

auto BlocksOf(const Side& in, const Side& out) {
  return [in, out](int rank, int ranks) -> absl::StatusOr<std::shared_ptr<const Blocks>> {
    auto blocks = std::make_shared<Blocks>();
    CCL_ASSIGN_OR_RETURN(blocks->in, Read(in, "send", rank, ranks));
    CCL_ASSIGN_OR_RETURN(blocks->out, Read(out, "receive", rank, ranks));
    return blocks;
  };
}

}  // namespace
}  // namespace ccl::api

using ccl::Collective;
using namespace ccl::api;

extern "C" {

cclResult_t cclAllGatherV(const void* sendbuff, size_t sendcount, void* recvbuff,
                          const size_t* recvcounts, const size_t* displs, cclDataType_t type,
                          cclComm_t comm, cclStream_t stream) {
  return cclAllGatherVConfig(sendbuff, sendcount, recvbuff, recvcounts, displs, type, comm, stream,
                             nullptr);
}
cclResult_t cclAllGatherVConfig(const void* sendbuff, size_t sendcount, void* recvbuff,
                                const size_t* recvcounts, const size_t* displs, cclDataType_t type,
                                cclComm_t comm, cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kAllGatherV, sendbuff, recvbuff, 0, type, cclSum, 0,
                  BlocksOf(One(sendcount), All(recvcounts, displs))},
                 comm, stream, config);
}
cclResult_t cclReduceScatterV(const void* sendbuff, const size_t* sendcounts, const size_t* displs,
                              void* recvbuff, size_t recvcount, cclDataType_t type, cclRedOp_t op,
                              cclComm_t comm, cclStream_t stream) {
  return cclReduceScatterVConfig(sendbuff, sendcounts, displs, recvbuff, recvcount, type, op, comm,
                                 stream, nullptr);
}
cclResult_t cclReduceScatterVConfig(const void* sendbuff, const size_t* sendcounts,
                                    const size_t* displs, void* recvbuff, size_t recvcount,
                                    cclDataType_t type, cclRedOp_t op, cclComm_t comm,
                                    cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kReduceScatterV, sendbuff, recvbuff, 0, type, op, 0,
                  BlocksOf(All(sendcounts, displs), One(recvcount))},
                 comm, stream, config);
}
cclResult_t cclAlltoAllV(const void* sendbuff, const size_t* sendcounts, const size_t* sdispls,
                         void* recvbuff, const size_t* recvcounts, const size_t* rdispls,
                         cclDataType_t type, cclComm_t comm, cclStream_t stream) {
  return cclAlltoAllVConfig(sendbuff, sendcounts, sdispls, recvbuff, recvcounts, rdispls, type,
                            comm, stream, nullptr);
}
cclResult_t cclAlltoAllVConfig(const void* sendbuff, const size_t* sendcounts,
                               const size_t* sdispls, void* recvbuff, const size_t* recvcounts,
                               const size_t* rdispls, cclDataType_t type, cclComm_t comm,
                               cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kAllToAllV, sendbuff, recvbuff, 0, type, cclSum, 0,
                  BlocksOf(All(sendcounts, sdispls), All(recvcounts, rdispls))},
                 comm, stream, config);
}
cclResult_t cclGatherV(const void* sendbuff, size_t sendcount, void* recvbuff,
                       const size_t* recvcounts, const size_t* displs, cclDataType_t type, int root,
                       cclComm_t comm, cclStream_t stream) {
  return cclGatherVConfig(sendbuff, sendcount, recvbuff, recvcounts, displs, type, root, comm,
                          stream, nullptr);
}
cclResult_t cclGatherVConfig(const void* sendbuff, size_t sendcount, void* recvbuff,
                             const size_t* recvcounts, const size_t* displs, cclDataType_t type,
                             int root, cclComm_t comm, cclStream_t stream,
                             const cclCallConfig_t* config) {
  return Collect({Collective::kGatherV, sendbuff, recvbuff, 0, type, cclSum, root,
                  BlocksOf(One(sendcount), AllAt(root, recvcounts, displs))},
                 comm, stream, config);
}
cclResult_t cclScatterV(const void* sendbuff, const size_t* sendcounts, const size_t* displs,
                        void* recvbuff, size_t recvcount, cclDataType_t type, int root,
                        cclComm_t comm, cclStream_t stream) {
  return cclScatterVConfig(sendbuff, sendcounts, displs, recvbuff, recvcount, type, root, comm,
                           stream, nullptr);
}
cclResult_t cclScatterVConfig(const void* sendbuff, const size_t* sendcounts, const size_t* displs,
                              void* recvbuff, size_t recvcount, cclDataType_t type, int root,
                              cclComm_t comm, cclStream_t stream, const cclCallConfig_t* config) {
  return Collect({Collective::kScatterV, sendbuff, recvbuff, 0, type, cclSum, root,
                  BlocksOf(AllAt(root, sendcounts, displs), One(recvcount))},
                 comm, stream, config);
}

}  // extern "C"
