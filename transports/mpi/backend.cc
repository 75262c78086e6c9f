#include "transports/mpi/backend.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/backend/copy.h"
#include "transports/mpi/error.h"
#include "transports/mpi/head.h"

namespace ccl::mpi {
namespace {

// The piece that holds all of `bytes`, or null: some pieces may be empty.
template <typename P>
const P* OnlyPiece(absl::Span<const P> pieces, uint64_t bytes) {
  for (const P& piece : pieces) {
    if (piece.bytes == bytes) return &piece;
  }
  return nullptr;
}

}  // namespace

MpiBackend::MpiBackend(MPI_Comm heads, MPI_Comm bodies, int rank, int ranks, int tag_upper_bound,
                       const ArenaPlace& arena)
    : heads_(heads), bodies_(bodies), rank_(rank), ranks_(ranks), tags_(tag_upper_bound), arena_(arena),
      admission_("mpi", rank, ranks, tags_.contexts(), tags_.channels(),
                 absl::StrCat("this MPI's tags (MPI_TAG_UB ", tag_upper_bound, ") tell few apart: ")) {
  // How many requests there are at once depends on when heads arrive. Beyond this the arrays grow.
  constexpr size_t kUsualRequests = 256;
  requests_.reserve(kUsualRequests);
  parts_.reserve(kUsualRequests);
  indices_.resize(kUsualRequests);
  statuses_.resize(kUsualRequests);
}

void MpiBackend::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

std::string MpiBackend::Describe(OperationKind kind, int peer, uint32_t context, uint16_t channel,
                                 uint64_t bytes) const {
  return absl::StrCat(kind == OperationKind::kSend ? "send of " : "receive of ", bytes,
                      kind == OperationKind::kSend ? " bytes to rank " : " bytes from rank ", peer,
                      " (context ", context, ", channel ", channel, ")");
}

void MpiBackend::Post(int rank, absl::Span<const Operation> operations) {
  if (rank != rank_) {
    Fail(absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ": operations of rank ", rank,
                                                 " were posted to this process")));
  }
  for (const Operation& operation : operations) {
    if (!status_.ok()) return;
    if (CostsOnly(operation)) {
      ready_.push_back({rank_, operation.token});
    } else if (!admission_.Takes(operation)) {
      Fail(admission_.Refusal(operation));
    } else if (endpoint_ != nullptr && (IsGroup(operation) || endpoint_->Has(operation.peer))) {
      endpoint_->Post(operation);
    } else if (operation.kind == OperationKind::kSend) {
      PostSend(operation);
    } else {
      PostRecv(operation);
    }
  }
}

uint32_t MpiBackend::NewMessage(const Operation& op) {
  uint32_t index;
  if (free_messages_.empty()) {
    index = static_cast<uint32_t>(messages_.size());
    messages_.emplace_back().scatter.reserve(8);
  } else {
    index = free_messages_.back();
    free_messages_.pop_back();
  }
  Message& m = messages_[index];
  m.kind = op.kind;
  m.channel = op.channel;
  m.peer = op.peer;
  m.context = op.context;
  m.bytes = op.bytes;
  m.token = op.token;
  m.consumer = op.consumer;
  m.memory = nullptr;
  m.head = m.staging = {};
  m.requests_left = 1 + SegmentsOf(op.bytes);
  return index;
}

void MpiBackend::PostSend(const Operation& op) {
  const uint32_t index = NewMessage(op);
  Message& m = messages_[index];
  const ConstPiece* const only = OnlyPiece(op.src, op.bytes);
  if (only != nullptr) {
    m.memory = static_cast<std::byte*>(const_cast<void*>(only->data));  // MPI only reads it
  } else if (op.bytes > 0) {
    m.staging = staging_.Take(op.bytes);
    m.memory = m.staging.data;
    std::byte* to = m.memory;
    for (const ConstPiece& piece : op.src) {
      if (piece.bytes > 0) Copy(to, piece.data, piece.bytes);
      to += piece.bytes;
    }
  }
  if (!HasBody(op.bytes)) return IssueHead(index, m.memory, op.bytes);
  const Header header{op.bytes, static_cast<uint64_t>(next_body_tag_)};
  next_body_tag_ = next_body_tag_ == tags_.upper_bound() ? 0 : next_body_tag_ + 1;
  m.head = staging_.Take(kLongestHead);
  std::memcpy(m.head.data, &header, sizeof(header));
  std::memcpy(m.head.data + sizeof(header), m.memory, kInlineBytes);
  IssueHead(index, m.head.data, kLongestHead);
  IssueBody(index, static_cast<int>(header.body_tag));
}

void MpiBackend::PostRecv(const Operation& op) {
  const bool reduce = op.kind == OperationKind::kRecvReduce;
  const uint32_t index = NewMessage(op);
  Message& m = messages_[index];
  m.head = staging_.Take(kLongestHead);
  const Piece* const only = reduce ? nullptr : OnlyPiece(op.dst, op.bytes);
  if (only != nullptr) {
    m.memory = static_cast<std::byte*>(only->data);
  } else {
    if (!reduce) m.scatter.assign(op.dst.begin(), op.dst.end());
    // A short message is whole in its head and goes on from there.
    if (HasBody(op.bytes)) {
      m.staging = staging_.Take(op.bytes);
      m.memory = m.staging.data;
    }
  }
  IssueHead(index, m.head.data, kLongestHead);
}

void MpiBackend::IssueHead(uint32_t index, std::byte* data, uint64_t bytes) {
  const Message& m = messages_[index];
  const int tag = tags_.Tag(m.context, m.channel);
  const int count = static_cast<int>(bytes);
  MPI_Request request = MPI_REQUEST_NULL;
  const int code = m.kind == OperationKind::kSend
                       ? MPI_Isend(data, count, MPI_BYTE, m.peer, tag, heads_, &request)
                       : MPI_Irecv(data, count, MPI_BYTE, m.peer, tag, heads_, &request);
  if (code != MPI_SUCCESS) return Fail(ToStatus(code, rank_, Describe(m)));
  Track(request, {index, kHead});
}

void MpiBackend::IssueBody(uint32_t index, int tag) {
  const Message& m = messages_[index];
  for (uint32_t i = 0; i < SegmentsOf(m.bytes); ++i) {
    std::byte* const data = m.memory + SegmentStart(i);
    const int count = static_cast<int>(SegmentSize(m.bytes, i));
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = m.kind == OperationKind::kSend
                         ? MPI_Isend(data, count, MPI_BYTE, m.peer, tag, bodies_, &request)
                         : MPI_Irecv(data, count, MPI_BYTE, m.peer, tag, bodies_, &request);
    if (code != MPI_SUCCESS) return Fail(ToStatus(code, rank_, Describe(m)));
    Track(request, {index, i});
  }
}

void MpiBackend::Track(MPI_Request request, Part part) {
  requests_.push_back(request);
  parts_.push_back(part);
}

void MpiBackend::Test(std::vector<Completion>& done) {
  int count = 0;
  if (requests_.empty()) {
    // A send may be complete here and still wait inside MPI for a call to push it out.
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, heads_, &count, MPI_STATUS_IGNORE);
    return;
  }
  if (indices_.size() < requests_.size()) {
    indices_.resize(requests_.size() * 2);
    statuses_.resize(requests_.size() * 2);
  }
  const int code = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count,
                                indices_.data(), statuses_.data());
  if (code != MPI_SUCCESS && code != MPI_ERR_IN_STATUS) {
    return Fail(ToStatus(code, rank_, "MPI_Testsome"));
  }
  if (count <= 0) return;
  // Bodies are appended to requests_ meanwhile; the indices stay what they are.
  for (int i = 0; i < count; ++i) {
    const Part part = parts_[indices_[i]];
    if (code != MPI_SUCCESS && statuses_[i].MPI_ERROR != MPI_SUCCESS) {
      Fail(ToStatus(statuses_[i].MPI_ERROR, rank_, Describe(messages_[part.message])));
    } else if (status_.ok()) {
      Arrived(part, statuses_[i], done);
    }
  }
  // From the back, so that the element moved into a gap is never itself a gap.
  std::sort(indices_.begin(), indices_.begin() + count, std::greater<int>());
  for (int i = 0; i < count; ++i) {
    requests_[indices_[i]] = requests_.back();
    parts_[indices_[i]] = parts_.back();
    requests_.pop_back();
    parts_.pop_back();
  }
}

void MpiBackend::Arrived(Part part, const MPI_Status& status, std::vector<Completion>& done) {
  Message& m = messages_[part.message];
  if (m.kind != OperationKind::kSend) {
    int count = MPI_UNDEFINED;
    MPI_Get_count(&status, MPI_BYTE, &count);
    if (part.segment == kHead) {
      if (!HeadFits(m, count)) return;
      if (HasBody(m.bytes)) {
        Header header;
        std::memcpy(&header, m.head.data, sizeof(header));
        std::memcpy(m.memory, m.head.data + sizeof(header), kInlineBytes);
        IssueBody(part.message, static_cast<int>(header.body_tag));
        if (!status_.ok()) return;
      }
    } else if (static_cast<uint64_t>(count) != SegmentSize(m.bytes, part.segment)) {
      return Fail(absl::InternalError(absl::StrCat("rank ", rank_, ": ", Describe(m), ": segment ",
                                                   part.segment, " has ", count, " bytes, not ",
                                                   SegmentSize(m.bytes, part.segment))));
    }
  }
  if (--m.requests_left == 0) Complete(part.message, done);
}

bool MpiBackend::HeadFits(const Message& m, int head_bytes) {
  uint64_t sent = head_bytes;
  if (sent == kLongestHead) {
    Header header;
    std::memcpy(&header, m.head.data, sizeof(header));
    sent = header.bytes;
  }
  if (sent == m.bytes) return true;
  Fail(absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ": ", Describe(m), ": rank ", m.peer,
                                               " sent ", sent, " bytes, rank ", rank_, " expects ",
                                               m.bytes)));
  return false;
}

// Hands the bytes of a whole message to whom they are for, unless they are there already.
void MpiBackend::Deliver(Message& m) {
  const std::byte* from = HasBody(m.bytes) ? m.memory : m.head.data;
  if (m.kind == OperationKind::kRecvReduce) {
    const ConstPiece piece{from, m.bytes};
    const absl::Span<const ConstPiece> operand(&piece, m.bytes > 0 ? 1 : 0);
    m.consumer->Consume(m.token, 0, {&operand, 1});
  } else if (!m.scatter.empty()) {
    for (const Piece& piece : m.scatter) {
      if (piece.bytes > 0) Copy(piece.data, from, piece.bytes);
      from += piece.bytes;
    }
    m.scatter.clear();
  } else if (!HasBody(m.bytes) && m.bytes > 0) {
    Copy(m.memory, from, m.bytes);
  }
}

void MpiBackend::Complete(uint32_t index, std::vector<Completion>& done) {
  Message& m = messages_[index];
  if (m.kind != OperationKind::kSend) Deliver(m);
  if (m.head.data != nullptr) staging_.Give(std::exchange(m.head, {}));
  if (m.staging.data != nullptr) staging_.Give(std::exchange(m.staging, {}));
  done.push_back({rank_, m.token});
  free_messages_.push_back(index);
}

}  // namespace ccl::mpi
