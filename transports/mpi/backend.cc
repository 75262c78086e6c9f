#include "transports/mpi/backend.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ccl/base/status.h"
#include "transports/mpi/error.h"
#include "transports/mpi/segments.h"

namespace ccl::mpi {
namespace {

constexpr std::chrono::microseconds kLongestWait(1000);

template <typename P>
uint64_t BytesOf(absl::Span<const P> pieces) {
  uint64_t bytes = 0;
  for (const P& piece : pieces) bytes += piece.bytes;
  return bytes;
}

// The piece that holds all of `bytes`, or null: some pieces may be empty.
template <typename P>
const P* OnlyPiece(absl::Span<const P> pieces, uint64_t bytes) {
  for (const P& piece : pieces) {
    if (piece.bytes == bytes) return &piece;
  }
  return nullptr;
}

}  // namespace

Time MpiBackend::Now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
             .count() *
         1000;
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
    Fail(absl::InvalidArgumentError(absl::StrCat(
        "rank ", rank_, ": operations of rank ", rank, " were posted to this process")));
  }
  for (const Operation& operation : operations) {
    if (!status_.ok()) return;
    switch (operation.kind) {
      case OperationKind::kSend:
        PostSend(operation);
        break;
      case OperationKind::kRecv:
      case OperationKind::kRecvReduce:
        PostRecv(operation);
        break;
      case OperationKind::kCopy:
      case OperationKind::kReduce:
      case OperationKind::kDelay:
        ready_.push_back({rank_, operation.token});
        break;
      case OperationKind::kGroupReduce:
      case OperationKind::kGroupCopy:
      case OperationKind::kReconfigure:
        Fail(absl::UnimplementedError(
            absl::StrCat("rank ", rank_, ": the mpi backend has no ",
                         operation.kind == OperationKind::kGroupReduce  ? "group reduction"
                         : operation.kind == OperationKind::kGroupCopy ? "group copy"
                                                                       : "reconfiguration",
                         "; see Backend::abilities")));
        break;
    }
  }
}

bool MpiBackend::Admits(const Operation& op, uint64_t pieces_bytes) {
  // The sound case is decided here, without making any text.
  if (op.peer >= 0 && op.peer < ranks_ && tags_.Holds(op.context, op.channel) &&
      pieces_bytes == op.bytes) {
    return true;
  }
  const std::string what =
      absl::StrCat("rank ", rank_, ": ",
                   Describe(op.kind, op.peer, op.context, op.channel, op.bytes));
  if (op.peer < 0 || op.peer >= ranks_) {
    Fail(absl::InvalidArgumentError(
        absl::StrCat(what, ": the peer is not one of the ranks 0 to ", ranks_ - 1)));
  } else if (!tags_.Holds(op.context, op.channel)) {
    Fail(absl::ResourceExhaustedError(absl::StrCat(
        what, ": this MPI's tags (MPI_TAG_UB ", tags_.upper_bound(), ") hold contexts below ",
        tags_.contexts(), " and channels below ", tags_.channels())));
  } else {
    Fail(absl::InvalidArgumentError(
        absl::StrCat(what, ": its pieces hold ", pieces_bytes,
                     " bytes; the mpi backend moves real bytes only")));
  }
  return false;
}

uint32_t MpiBackend::NewMessage(const Operation& op) {
  uint32_t index;
  if (free_messages_.empty()) {
    index = static_cast<uint32_t>(messages_.size());
    messages_.emplace_back();
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
  m.staging = {};
  m.segments_left = SegmentsOf(op.bytes);
  return index;
}

void MpiBackend::PostSend(const Operation& op) {
  if (!Admits(op, BytesOf(op.src))) return;
  const uint32_t index = NewMessage(op);
  if (op.bytes == 0) return Issue(index, nullptr);
  if (const ConstPiece* only = OnlyPiece(op.src, op.bytes)) {
    return Issue(index, static_cast<std::byte*>(const_cast<void*>(only->data)));
  }
  messages_[index].staging = staging_.Take(op.bytes);
  std::byte* to = messages_[index].staging.data;
  for (const ConstPiece& piece : op.src) {
    if (piece.bytes > 0) std::memcpy(to, piece.data, piece.bytes);
    to += piece.bytes;
  }
  Issue(index, messages_[index].staging.data);
}

void MpiBackend::PostRecv(const Operation& op) {
  const bool reduce = op.kind == OperationKind::kRecvReduce;
  if (!Admits(op, reduce ? op.bytes : BytesOf(op.dst))) return;
  if (reduce && op.consumer == nullptr) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("rank ", rank_, ": ",
                     Describe(op.kind, op.peer, op.context, op.channel, op.bytes),
                     " has no consumer; the mpi backend moves real bytes only")));
  }
  const uint32_t index = NewMessage(op);
  if (op.bytes == 0) return Issue(index, nullptr);
  if (!reduce) {
    if (const Piece* only = OnlyPiece(op.dst, op.bytes)) {
      return Issue(index, static_cast<std::byte*>(only->data));
    }
    messages_[index].scatter.assign(op.dst.begin(), op.dst.end());
  }
  messages_[index].staging = staging_.Take(op.bytes);
  Issue(index, messages_[index].staging.data);
}

void MpiBackend::Issue(uint32_t index, std::byte* data) {
  const Message& m = messages_[index];
  const int tag = tags_.Tag(m.context, m.channel);
  for (uint32_t i = 0; i < m.segments_left; ++i) {
    std::byte* const from = data + i * kSegmentBytes;
    const int count = static_cast<int>(SegmentSize(m.bytes, i));
    MPI_Request request = MPI_REQUEST_NULL;
    const int code =
        m.kind == OperationKind::kSend
            ? MPI_Isend(from, count, MPI_BYTE, m.peer, tag, communicator_, &request)
            : MPI_Irecv(from, count, MPI_BYTE, m.peer, tag, communicator_, &request);
    if (code != MPI_SUCCESS) return Fail(ToStatus(code, rank_, Describe(m)));
    requests_.push_back(request);
    segments_.push_back({index, i, next_sequence_++});
  }
  if (indices_.size() < requests_.size()) {
    indices_.resize(requests_.size() * 2);
    statuses_.resize(requests_.size() * 2);
  }
}

absl::Status MpiBackend::Poll(Waiting waiting, std::vector<Completion>& done) {
  if (!status_.ok()) return status_;
  const size_t before = done.size();
  done.insert(done.end(), ready_.begin(), ready_.end());
  ready_.clear();
  Test(done);
  if (waiting == Waiting::kYes && done.size() == before && status_.ok()) {
    // Ranks may outnumber the cores: whoever has nothing to do makes room for the others.
    const auto deadline = std::chrono::steady_clock::now() + kLongestWait;
    do {
      sched_yield();
      Test(done);
    } while (done.size() == before && status_.ok() && !requests_.empty() &&
             std::chrono::steady_clock::now() < deadline);
  }
  return status_;
}

void MpiBackend::Test(std::vector<Completion>& done) {
  int count = 0;
  if (requests_.empty()) {
    // A send may be complete here and still wait inside MPI for a call to push it out.
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, communicator_, &count, MPI_STATUS_IGNORE);
    return;
  }
  const int code = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count,
                                indices_.data(), statuses_.data());
  if (code != MPI_SUCCESS && code != MPI_ERR_IN_STATUS) {
    return Fail(ToStatus(code, rank_, "MPI_Testsome"));
  }
  if (count <= 0) return;
  for (int i = 0; i < count; ++i) {
    Arrived(segments_[indices_[i]], statuses_[i],
            code == MPI_SUCCESS ? MPI_SUCCESS : statuses_[i].MPI_ERROR, done);
  }
  // From the back, so that the element moved into a gap is never itself a gap.
  std::sort(indices_.begin(), indices_.begin() + count, std::greater<int>());
  for (int i = 0; i < count; ++i) {
    requests_[indices_[i]] = requests_.back();
    segments_[indices_[i]] = segments_.back();
    requests_.pop_back();
    segments_.pop_back();
  }
  if (misfit_) ReportMisfit();
}

void MpiBackend::Arrived(Segment segment, const MPI_Status& status, int code,
                         std::vector<Completion>& done) {
  Message& m = messages_[segment.message];
  int error_class = MPI_SUCCESS;
  if (code != MPI_SUCCESS) MPI_Error_class(code, &error_class);
  const bool truncated = error_class == MPI_ERR_TRUNCATE;
  if (error_class != MPI_SUCCESS && !truncated) return Fail(ToStatus(code, rank_, Describe(m)));
  if (m.kind != OperationKind::kSend) {
    const int64_t expected = static_cast<int64_t>(SegmentSize(m.bytes, segment.index));
    int count = MPI_UNDEFINED;
    MPI_Get_count(&status, MPI_BYTE, &count);
    if (truncated && count <= expected) count = -1;
    if (count != expected) return NoteMisfit({segment, count});
  }
  if (--m.segments_left == 0) Complete(segment.message, done);
}

// A misfit may be the consequence of an earlier one, whose surplus or missing segments shifted the
// rest of its channel. Blame the earliest: segments match in order but end in any.
void MpiBackend::NoteMisfit(const Misfit& misfit) {
  if (misfit_) {
    const Message& noted = messages_[misfit_->segment.message];
    const Message& m = messages_[misfit.segment.message];
    const bool same_channel =
        m.peer == noted.peer && m.context == noted.context && m.channel == noted.channel;
    if (!same_channel || misfit.segment.sequence > misfit_->segment.sequence) return;
  }
  misfit_ = misfit;
}

void MpiBackend::ReportMisfit() {
  const Segment segment = misfit_->segment;
  const Message& m = messages_[segment.message];
  for (const Segment& other : segments_) {
    const Message& o = messages_[other.message];
    if (other.sequence < segment.sequence && o.kind != OperationKind::kSend && o.peer == m.peer &&
        o.context == m.context && o.channel == m.channel) {
      return;  // matched before, and still on the way: it may be the culprit
    }
  }
  const uint64_t before = segment.index * kSegmentBytes;
  std::string sent;
  if (misfit_->bytes < 0) {
    sent = absl::StrCat("more than ", m.bytes);
  } else if (misfit_->bytes == static_cast<int64_t>(kSegmentBytes)) {
    sent = absl::StrCat("at least ", before + misfit_->bytes);
  } else {
    sent = absl::StrCat(before + misfit_->bytes);
  }
  Fail(absl::InvalidArgumentError(absl::StrCat("rank ", rank_, ": ", Describe(m), ": rank ",
                                               m.peer, " sent ", sent, " bytes, rank ", rank_,
                                               " expects ", m.bytes)));
}

void MpiBackend::Complete(uint32_t index, std::vector<Completion>& done) {
  Message& m = messages_[index];
  if (m.kind == OperationKind::kRecvReduce) {
    const ConstPiece piece{m.staging.data, m.bytes};
    const absl::Span<const ConstPiece> operand(&piece, m.bytes > 0 ? 1 : 0);
    m.consumer->Consume(m.token, {&operand, 1});
  } else if (!m.scatter.empty()) {
    const std::byte* from = m.staging.data;
    for (const Piece& piece : m.scatter) {
      if (piece.bytes > 0) std::memcpy(piece.data, from, piece.bytes);
      from += piece.bytes;
    }
    m.scatter.clear();
  }
  if (m.staging.data != nullptr) staging_.Give(std::exchange(m.staging, {}));
  done.push_back({rank_, m.token});
  free_messages_.push_back(index);
}

absl::Status MpiBackend::ShareFromRankZero(std::string& bytes) {
  if (!status_.ok()) return status_;
  uint64_t size = bytes.size();
  int code = MPI_Bcast(&size, 1, MPI_UINT64_T, 0, communicator_);
  if (code == MPI_SUCCESS) {
    bytes.resize(size);
    for (uint64_t at = 0; at < size && code == MPI_SUCCESS; at += kSegmentBytes) {
      const uint64_t count = std::min(kSegmentBytes, size - at);
      code = MPI_Bcast(bytes.data() + at, static_cast<int>(count), MPI_BYTE, 0, communicator_);
    }
  }
  Fail(ToStatus(code, rank_, "MPI_Bcast of rank 0's bytes"));
  return status_;
}

}  // namespace ccl::mpi
