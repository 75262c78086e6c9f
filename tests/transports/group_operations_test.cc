// Group operations of the MPI transport's ranks on one host: reductions to one and to all, copies, in
// place and in pieces, of all ranks and of some, in sizes around those at which the way changes. Run by
// mpirun.
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "tests/transports/host_job.h"

namespace ccl {
namespace {

constexpr size_t kCounts[] = {0,    1,    2,     128,   129,    2047,   2048,   2049,
                              4096, 4097, 16384, 16385, 100000, 262144, 1000003};

int32_t Value(int rank, size_t i) { return rank * 1000 + static_cast<int32_t>(i % 977); }

// Adds what it is given to nothing, at the place that it is told.
class Adder final : public Consumer {
 public:
  explicit Adder(int32_t* result) : result_(result) {}
  void Consume(uint64_t, uint64_t offset,
               absl::Span<const absl::Span<const ConstPiece>> operands) override {
    std::vector<int32_t> sum;
    for (const absl::Span<const ConstPiece>& operand : operands) {
      size_t at = 0;
      for (const ConstPiece& piece : operand) {
        for (size_t i = 0; i < piece.bytes / 4; ++i, ++at) {
          if (sum.size() <= at) sum.push_back(0);
          sum[at] += static_cast<const int32_t*>(piece.data)[i];
        }
      }
      EXPECT_EQ(at, sum.size()) << "operands of one part have one length";
    }
    operands_ = operands.size();
    if (!sum.empty()) std::memcpy(result_ + offset / 4, sum.data(), sum.size() * 4);
    taken_ += sum.size();
  }
  size_t taken_ = 0, operands_ = 0;

 private:
  int32_t* const result_;
};

class GroupOperations : public HostJob {
 protected:
  // A reduction among `members` to `root`, -1: to all.
  void Reduce(const std::vector<int>& members, int root, size_t count, bool in_place, size_t cut) {
    std::vector<int32_t> in(count), out(count, -1);
    for (size_t i = 0; i < count; ++i) in[i] = Value(self_, i);
    int32_t* const result = in_place ? in.data() : out.data();
    Adder adder(result);
    cut = std::min(cut, count);
    const ConstPiece src[] = {{in.data(), cut * 4}, {in.data() + cut, (count - cut) * 4}};
    const bool wanted = root < 0 || root == self_;
    Operation op;
    op.kind = OperationKind::kGroupReduce;
    op.peer = root;
    op.bytes = count * 4;
    op.src = src;
    const Piece dst[] = {{result, cut * 4}, {result + cut, (count - cut) * 4}};
    if (wanted) op.dst = dst;
    op.consumer = wanted ? &adder : nullptr;
    op.group = {static_cast<uint64_t>(members.size()), members};
    op.token = 5;
    job_->Post(self_, op);
    const absl::Status status = job_->Finish();
    ASSERT_TRUE(status.ok()) << status;
    if (!wanted) return;
    // What all want others may have folded.
    if (root >= 0) {
      EXPECT_EQ(adder.taken_, count);
    }
    EXPECT_LE(adder.taken_, count);
    if (adder.taken_ > 0) {
      EXPECT_EQ(adder.operands_, members.size());
    }
    for (size_t i = 0; i < count; ++i) {
      int32_t sum = 0;
      for (int member : members) sum += Value(member, i);
      ASSERT_EQ(result[i], sum) << "element " << i << " of " << count << ", root " << root;
    }
  }

  void Copy(const std::vector<int>& members, int root, size_t count, size_t cut) {
    std::vector<int32_t> in(count), out(count, -1);
    for (size_t i = 0; i < count; ++i) in[i] = Value(self_, i);
    cut = std::min(cut, count);
    const ConstPiece src[] = {{in.data(), cut * 4}, {in.data() + cut, (count - cut) * 4}};
    const Piece dst[] = {{out.data(), (count - cut) * 4}, {out.data() + (count - cut), cut * 4}};
    Operation op;
    op.kind = OperationKind::kGroupCopy;
    op.peer = root;
    op.bytes = count * 4;
    if (root == self_) op.src = src;
    op.dst = dst;
    op.group = {static_cast<uint64_t>(members.size()), members};
    op.token = 6;
    job_->Post(self_, op);
    const absl::Status status = job_->Finish();
    ASSERT_TRUE(status.ok()) << status;
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(out[i], Value(root, i)) << "element " << i << " of " << count << ", root " << root;
    }
  }
};

TEST_F(GroupOperations, ReduceToAll) {
  for (size_t count : kCounts) {
    for (const bool in_place : {false, true}) Reduce(all_, -1, count, in_place, count / 3);
    Reduce(all_, -1, count, true, 0);
  }
}

TEST_F(GroupOperations, ReduceToEach) {
  for (size_t count : kCounts) {
    for (int root : all_) Reduce(all_, root, count, root % 2 == 0, count / 2);
  }
}

TEST_F(GroupOperations, CopyFromEach) {
  for (size_t count : kCounts) {
    for (int root : all_) Copy(all_, root, count, count / 5);
  }
}

// Nobody takes it, and nobody is asked to: of all, and of each alone.
TEST_F(GroupOperations, NothingNeedsNoConsumer) {
  const int alone[] = {self_};
  Operation all{.kind = OperationKind::kGroupReduce, .peer = 0}, own{.kind = OperationKind::kGroupReduce, .peer = self_};
  all.group = {0, all_};
  own.group = {static_cast<uint64_t>(self_) + 1, alone};
  own.token = 1;
  job_->Post(self_, {all, own});
  const absl::Status status = job_->Finish();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(GroupOperations, SomeBytesNeedOne) {
  const int32_t number = 1;
  const ConstPiece src{&number, 4};
  Operation op{.kind = OperationKind::kGroupReduce, .peer = -1, .bytes = 4};
  op.src = {&src, 1};
  op.group = {0, all_};
  job_->Post(self_, op);
  const absl::Status status = job_->Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("no consumer"), std::string::npos) << status;
}

// Those of even number, and the others, at the same time.
TEST_F(GroupOperations, AmongSome) {
  std::vector<int> members;
  for (int rank : all_) {
    if (rank % 2 == self_ % 2) members.push_back(rank);
  }
  for (size_t count : kCounts) {
    Reduce(members, -1, count, true, 0);
    Copy(members, members.back(), count, 0);
  }
}

// More at once than there is room for, among messages of the same ranks, received in another order.
TEST_F(GroupOperations, ManyAtOnce) {
  constexpr size_t kAtOnce = 40, kCount = 30000;
  struct One {
    std::vector<int32_t> in, out, sent, received;
    std::unique_ptr<Adder> adder;
    ConstPiece src, out_piece;
    Piece in_piece, result;
  };
  std::vector<One> ones(kAtOnce);
  for (size_t k = 0; k < kAtOnce; ++k) {
    One& one = ones[k];
    one.in.assign(kCount, Value(self_, k));
    one.out.assign(kCount, -1);
    one.sent.assign(kCount, Value(self_, k + 100));
    one.received.assign(kCount, -1);
    one.adder = std::make_unique<Adder>(one.out.data());
    one.src = {one.in.data(), kCount * 4};
    one.out_piece = {one.sent.data(), kCount * 4};
    one.in_piece = {one.received.data(), kCount * 4};
    one.result = {one.out.data(), kCount * 4};
    Operation reduce, send;
    reduce.kind = OperationKind::kGroupReduce;
    reduce.peer = -1;
    send.kind = OperationKind::kSend;
    send.peer = job_->Next(self_);
    reduce.bytes = send.bytes = kCount * 4;
    reduce.channel = send.channel = static_cast<uint16_t>(k);
    reduce.src = {&one.src, 1};
    send.src = {&one.out_piece, 1};
    reduce.dst = {&one.result, 1};
    reduce.consumer = one.adder.get();
    reduce.group = {1, all_};
    reduce.token = k;
    send.token = kAtOnce + k;
    job_->Post(self_, {send, reduce});
  }
  for (size_t k = kAtOnce; k-- > 0;) {
    Operation recv;
    recv.kind = OperationKind::kRecv;
    recv.peer = job_->Previous(self_);
    recv.bytes = kCount * 4;
    recv.channel = static_cast<uint16_t>(k);
    recv.dst = {&ones[k].in_piece, 1};
    recv.token = 2 * kAtOnce + k;
    job_->Post(self_, recv);
    const absl::Status status = job_->Finish({2 * kAtOnce + k});
    ASSERT_TRUE(status.ok()) << status << ", message " << k;
  }
  const absl::Status status = job_->Finish();
  ASSERT_TRUE(status.ok()) << status;
  for (size_t k = 0; k < kAtOnce; ++k) {
    int32_t sum = 0;
    for (int rank : all_) sum += Value(rank, k);
    EXPECT_EQ(ones[k].out, std::vector<int32_t>(kCount, sum)) << k;
    EXPECT_EQ(ones[k].received, std::vector<int32_t>(kCount, Value(job_->Previous(self_), k + 100))) << k;
  }
}

// Long messages that nobody expects yet, to all others, leave room for what everybody waits for.
TEST_F(GroupOperations, NobodyHoldsAllRoom) {
  constexpr size_t kAtOnce = 150, kCount = 5000;
  std::vector<std::vector<int32_t>> received;
  std::vector<int32_t> sent(kCount, 7 + self_);
  if (self_ == 0) {
    const ConstPiece src{sent.data(), kCount * 4};
    for (int to : all_) {
      for (size_t k = 0; k < kAtOnce && to != 0; ++k) {
        Operation send;
        send.kind = OperationKind::kSend;
        send.peer = to;
        send.bytes = kCount * 4;
        send.channel = 0;
        send.context = 2;
        send.src = {&src, 1};
        send.token = 1000 + static_cast<size_t>(to) * kAtOnce + k;
        job_->Post(self_, send);
      }
    }
  }
  // Only the reductions are waited for; the sends go on.
  std::vector<int32_t> in(kCount, 1), out(kCount, -1);
  Adder adder(out.data());
  const ConstPiece src{in.data(), kCount * 4};
  const Piece dst{out.data(), kCount * 4};
  for (uint64_t round = 0; round < 3; ++round) {
    Operation op;
    op.kind = OperationKind::kGroupReduce;
    op.peer = -1;
    op.bytes = kCount * 4;
    op.src = {&src, 1};
    op.dst = {&dst, 1};
    op.consumer = &adder;
    op.group = {0, all_};
    op.token = 200 + round;
    job_->Post(self_, op);
    const absl::Status status = job_->Finish({op.token});
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(out, std::vector<int32_t>(kCount, job_->ranks()));
  }
  for (size_t k = 0; k < kAtOnce && self_ != 0; ++k) {
    received.emplace_back(kCount, -1);
    const Piece piece{received.back().data(), kCount * 4};
    Operation recv;
    recv.kind = OperationKind::kRecv;
    recv.peer = 0;
    recv.bytes = kCount * 4;
    recv.context = 2;
    recv.dst = {&piece, 1};
    recv.token = 300 + k;
    job_->Post(self_, recv);
  }
  const absl::Status status = job_->Finish();
  ASSERT_TRUE(status.ok()) << status;
  for (const std::vector<int32_t>& got : received) EXPECT_EQ(got, std::vector<int32_t>(kCount, 7));
}

// Who expects nothing and has nothing to send leaves short messages to their sender, who stops; but not for
// ever: they may be in the way of what somebody waits for.
TEST_F(GroupOperations, NobodyRunsFarAhead) {
  constexpr uint64_t kMessages = 400;  // many times what a ring takes
  if (job_->ranks() == 1) return;
  const int32_t number = 7;
  const ConstPiece src{&number, 4};
  const auto pending = [&] {
    uint64_t count = 0;
    for (uint64_t k = 0; k < kMessages; ++k) count += job_->pending(0, k) ? 1 : 0;
    return count;
  };
  const auto poll = [&](int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(job_->Poll(Waiting::kNo).ok());
    ASSERT_TRUE(job_->backend().Agree(absl::OkStatus()).ok());
  };
  for (uint64_t k = 0; k < kMessages && self_ == 0; ++k) {
    Operation send{.kind = OperationKind::kSend, .peer = 1, .bytes = 4};
    send.src = {&src, 1};
    send.token = k;
    job_->Post(0, send);
  }
  for (int round = 0; round < 4; ++round) poll(100);
  if (self_ == 0) {
    EXPECT_GE(pending(), kMessages / 2);
  }
  for (int round = 0; round < 100; ++round) poll(100);
  if (self_ == 0) {
    EXPECT_EQ(pending(), 0u);
  }
  std::vector<int32_t> received(kMessages);
  for (uint64_t k = 0; k < kMessages && self_ == 1; ++k) {
    const Piece piece{&received[k], 4};
    Operation recv{.kind = OperationKind::kRecv, .peer = 0, .bytes = 4};
    recv.dst = {&piece, 1};
    recv.token = k;
    job_->Post(1, recv);
  }
  const absl::Status status = job_->Finish();
  ASSERT_TRUE(status.ok()) << status;
  if (self_ == 1) {
    EXPECT_EQ(received, std::vector<int32_t>(kMessages, 7));
  }
}

TEST_F(GroupOperations, MembersMustAgreeOnTheLength) {
  std::vector<int32_t> in(100 + static_cast<size_t>(self_)), out(200);
  Adder adder(out.data());
  const ConstPiece src{in.data(), in.size() * 4};
  Operation op;
  op.kind = OperationKind::kGroupReduce;
  op.peer = -1;
  op.bytes = in.size() * 4;
  op.src = {&src, 1};
  op.consumer = &adder;
  op.group = {0, all_};
  job_->Post(self_, op);
  const absl::Status status = job_->Finish();
  if (job_->ranks() == 1) {  // agrees with itself
    ASSERT_TRUE(status.ok()) << status;
    return;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_NE(std::string(status.message()).find("expects " + std::to_string(in.size() * 4)), std::string::npos)
      << status;
}

}  // namespace
}  // namespace ccl
