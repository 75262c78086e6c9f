// The contract of ccl::Backend: every transport passes these cases, one line of kBackends each.
#include "tests/transports/contract.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "ccl/backend/backend.h"
#include "ccl/backend/open.h"
#include "gtest/gtest.h"
#include "tests/transports/ensemble.h"

namespace ccl {
namespace {

struct Entry {
  const char* name;
  const char* url;
  int ranks;  // 0: as many as there are
};

absl::StatusOr<std::unique_ptr<Backend>> Open(const Entry& entry) {
  if (MeetsByItself(entry.url) && entry.ranks > 0) return OpenEnsemble(entry.url, entry.ranks);
  return OpenBackend(entry.url, entry.ranks);
}

class Contract : public testing::TestWithParam<Entry> {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Backend>> backend = Open(GetParam());
    ASSERT_TRUE(backend.ok()) << backend.status();
    job_ = std::make_unique<Job>(*std::move(backend));
  }

  // Each rank sends `size` bytes to the next one, cut as told, and receives the previous one's.
  void Ring(size_t size, int send_pieces, int recv_pieces) {
    std::map<int, Bytes> out, in;
    job_->ForEachLocal([&](int rank) {
      out[rank] = Pattern(rank, size, size);
      in[rank] = Bytes(size, 0xee);
      Message recv(OperationKind::kRecv, job_->Previous(rank), in[rank], 1, recv_pieces);
      Message send(OperationKind::kSend, job_->Next(rank), out[rank], 2, send_pieces);
      job_->Post(rank, {recv.op, send.op});
    });
    const absl::Status status = job_->Finish();
    ASSERT_TRUE(status.ok()) << status;
    job_->ForEachLocal([&](int rank) {
      EXPECT_EQ(in[rank], Pattern(job_->Previous(rank), size, size)) << "rank " << rank;
    });
  }

  std::unique_ptr<Job> job_;
};

TEST_P(Contract, SaysWhoTakesPart) {
  Backend& backend = job_->backend();
  EXPECT_STRNE(std::string(backend.name()).c_str(), "");
  EXPECT_GE(backend.ranks(), 1);
  ASSERT_FALSE(backend.local_ranks().empty());
  int last = -1;
  for (int rank : backend.local_ranks()) {
    EXPECT_GT(rank, last);
    EXPECT_LT(rank, backend.ranks());
    last = rank;
  }
  EXPECT_EQ(backend.topology().ranks, backend.ranks());
  EXPECT_TRUE(Validate(backend.topology()).ok());
}

TEST_P(Contract, TopologyIsEqualOnAllRanks) {
  const std::string own = job_->backend().topology().ToString();
  std::string shared = own;
  ASSERT_TRUE(job_->backend().ShareFromRankZero(shared).ok());
  EXPECT_EQ(own, shared);
}

TEST_P(Contract, RefusesAnotherNumberOfRanks) {
  const absl::Status status = OpenBackend(GetParam().url, job_->ranks() + 100000).status();
  EXPECT_FALSE(status.ok());
}

// The largest numbers that it claims, and none beside them: two messages that differ in one.
TEST_P(Contract, HoldsTheContextsAndChannelsItClaims) {
  const Abilities has = job_->backend().abilities();
  ASSERT_GE(has.contexts, 4u);
  ASSERT_GE(has.channels, 1u);
  ASSERT_LE(has.channels, 65536u);
  const std::vector<std::pair<uint32_t, uint32_t>> pairs = {
      {0, 0}, {has.contexts - 1, 0}, {0, has.channels - 1}, {has.contexts - 1, has.channels - 1}};
  std::map<std::pair<int, size_t>, Bytes> out, in;
  job_->ForEachLocal([&](int rank) {
    for (size_t i = 0; i < pairs.size(); ++i) {
      out[{rank, i}] = Pattern(rank, i, 100);
      // Received in the opposite order: only the numbers can tell them apart.
      const size_t k = pairs.size() - 1 - i;
      in[{rank, k}] = Bytes(100);
      Message send(OperationKind::kSend, job_->Next(rank), out[{rank, i}], 2 * i);
      Message recv(OperationKind::kRecv, job_->Previous(rank), in[{rank, k}], 2 * k + 1);
      send.op.context = pairs[i].first, recv.op.context = pairs[k].first;
      send.op.channel = static_cast<uint16_t>(pairs[i].second);
      recv.op.channel = static_cast<uint16_t>(pairs[k].second);
      job_->Post(rank, {send.op, recv.op});
    }
  });
  const absl::Status status = job_->Finish();
  ASSERT_TRUE(status.ok()) << status;
  for (auto& [key, bytes] : in) {
    EXPECT_EQ(bytes, Pattern(job_->Previous(key.first), key.second, 100)) << "pair " << key.second;
  }
}

TEST_P(Contract, OnePiece) {
  for (size_t size : {1, 7, 4096, 100000}) Ring(size, 1, 1);
}

TEST_P(Contract, SeveralPieces) {
  for (size_t size : {3, 1000, 300000}) {
    Ring(size, 5, 1);
    Ring(size, 1, 5);
    Ring(size, 4, 7);
  }
}

TEST_P(Contract, ZeroBytes) {
  Ring(0, 1, 1);
  Ring(0, 0, 0);
}

TEST_P(Contract, LargeMessage) {
  Ring(9 << 20, 1, 1);
  Ring(9 << 20, 3, 2);
}

// Around lengths at which a transport might cut a message or change its way of sending.
TEST_P(Contract, SizesNearPowersOfTwo) {
  for (size_t base : {4032, 4096, 8192, 65536, 4 << 20, 8 << 20}) {
    for (size_t size : {base - 1, base, base + 1, base + 4031, base + 4032, base + 4033}) {
      Ring(size, 1, 1);
    }
  }
}

TEST_P(Contract, SelfMessage) {
  for (size_t size : {0, 100, 2 << 20}) {
    std::map<int, Bytes> out, in;
    job_->ForEachLocal([&](int rank) {
      out[rank] = Pattern(rank, 0, size);
      in[rank] = Bytes(size);
      Message send(OperationKind::kSend, rank, out[rank], 1);
      Message recv(OperationKind::kRecv, rank, in[rank], 2);
      job_->Post(rank, send.op);
      job_->Post(rank, recv.op);
    });
    const absl::Status status = job_->Finish();
    ASSERT_TRUE(status.ok()) << status;
    job_->ForEachLocal([&](int rank) { EXPECT_EQ(in[rank], out[rank]); });
  }
}

// Both when the receives wait for the messages and when the messages wait for the receives.
TEST_P(Contract, OrderWithinAChannel) {
  constexpr int kMessages = 24;
  for (const bool sends_first : {false, true}) {
    std::map<int, std::deque<Bytes>> out, in;
    const auto post = [&](OperationKind kind) {
      job_->ForEachLocal([&](int rank) {
        for (int i = 0; i < kMessages; ++i) {
          const size_t size = i % 5 == 0 ? 0 : i % 7 == 0 ? 200000 : i * 11;
          const bool send = kind == OperationKind::kSend;
          std::deque<Bytes>& buffers = send ? out[rank] : in[rank];
          buffers.push_back(send ? Pattern(rank, i, size) : Bytes(size));
          Message m(kind, send ? job_->Next(rank) : job_->Previous(rank), buffers.back(),
                    send ? i : 100 + i);
          m.op.channel = 3;
          job_->Post(rank, m.op);
        }
      });
    };
    post(sends_first ? OperationKind::kSend : OperationKind::kRecv);
    absl::Status status = job_->Poll(Waiting::kNo);
    ASSERT_TRUE(status.ok()) << status;
    post(sends_first ? OperationKind::kRecv : OperationKind::kSend);
    status = job_->Finish();
    ASSERT_TRUE(status.ok()) << status;
    job_->ForEachLocal([&](int rank) {
      for (int i = 0; i < kMessages; ++i) {
        EXPECT_EQ(in[rank][i], Pattern(job_->Previous(rank), i, in[rank][i].size())) << i;
      }
    });
  }
}

// The second message is received before the first, whose receive is posted only then.
void OutOfOrder(Job& job, size_t size, void (*distinguish)(Operation&)) {
  std::map<int, Bytes> first_out, second_out, first_in, second_in;
  job.ForEachLocal([&](int rank) {
    first_out[rank] = Pattern(rank, 1, size);
    second_out[rank] = Pattern(rank, 2, size);
    first_in[rank] = second_in[rank] = Bytes(size);
    Message first(OperationKind::kSend, job.Next(rank), first_out[rank], 1);
    Message second(OperationKind::kSend, job.Next(rank), second_out[rank], 2);
    Message recv(OperationKind::kRecv, job.Previous(rank), second_in[rank], 3);
    distinguish(second.op);
    distinguish(recv.op);
    job.Post(rank, {first.op, second.op, recv.op});
  });
  absl::Status status = job.Finish({3});
  ASSERT_TRUE(status.ok()) << status;
  job.ForEachLocal([&](int rank) {
    EXPECT_EQ(second_in[rank], Pattern(job.Previous(rank), 2, size));
    Message recv(OperationKind::kRecv, job.Previous(rank), first_in[rank], 4);
    job.Post(rank, recv.op);
  });
  status = job.Finish();
  ASSERT_TRUE(status.ok()) << status;
  job.ForEachLocal(
      [&](int rank) { EXPECT_EQ(first_in[rank], Pattern(job.Previous(rank), 1, size)); });
}

TEST_P(Contract, ChannelsAreIndependent) {
  for (size_t size : {50, 1 << 20}) {
    OutOfOrder(*job_, size, [](Operation& op) { op.channel = 1; });
  }
}

TEST_P(Contract, ContextsAreIndependent) {
  for (size_t size : {50, 1 << 20}) {
    OutOfOrder(*job_, size, [](Operation& op) { op.context = 1; });
  }
}

TEST_P(Contract, ManyInFlight) {
  constexpr int kMessages = 1000;
  std::map<int, std::deque<Bytes>> out, in;
  job_->ForEachLocal([&](int rank) {
    std::deque<Message> messages;
    std::vector<Operation> operations;
    for (int i = 0; i < kMessages; ++i) {
      out[rank].push_back(Pattern(rank, i, i % 64));
      in[rank].push_back(Bytes(i % 64));
      messages.emplace_back(OperationKind::kRecv, job_->Previous(rank), in[rank].back(), i);
      messages.back().op.channel = i % 8;
      operations.push_back(messages.back().op);
      messages.emplace_back(OperationKind::kSend, job_->Next(rank), out[rank].back(),
                            kMessages + i);
      messages.back().op.channel = i % 8;
      operations.push_back(messages.back().op);
    }
    job_->Post(rank, operations);
  });
  const absl::Status status = job_->Finish();
  ASSERT_TRUE(status.ok()) << status;
  job_->ForEachLocal([&](int rank) {
    for (int i = 0; i < kMessages; ++i) {
      ASSERT_EQ(in[rank][i], Pattern(job_->Previous(rank), i, i % 64)) << i;
    }
  });
}

// Gathers what it is given, in one part or several, in any order and nothing twice, and notes whether the operation was still pending
// then.
class Gatherer final : public Consumer {
 public:
  Gatherer(const Job& job, int rank) : job_(job), rank_(rank) {}
  void Consume(uint64_t token, uint64_t offset,
               absl::Span<const absl::Span<const ConstPiece>> operands) override {
    early = early && job_.pending(rank_, token);
    ASSERT_EQ(operands.size(), 1u);
    Bytes& all = bytes[token];
    for (const ConstPiece& piece : operands[0]) {
      if (piece.bytes == 0) continue;
      all.resize(std::max(all.size(), offset + piece.bytes), kNothing);
      EXPECT_TRUE(std::all_of(all.begin() + static_cast<ptrdiff_t>(offset),
                              all.begin() + static_cast<ptrdiff_t>(offset + piece.bytes),
                              [](uint8_t byte) { return byte == kNothing; }) || piece.bytes < kSurelyMixed)
          << "given twice";
      std::memcpy(all.data() + offset, piece.data, piece.bytes);
      offset += piece.bytes;
    }
  }

  std::map<uint64_t, Bytes> bytes;
  bool early = true;

 private:
  static constexpr uint8_t kNothing = 0xee;
  static constexpr size_t kSurelyMixed = 64;  // shorter patterns may be nothing else
  const Job& job_;
  const int rank_;
};

TEST_P(Contract, RecvReduceConsumesAllBeforeItCompletes) {
  const std::vector<size_t> sizes = {1, 1000, 300000, 9 << 20};
  std::map<int, Gatherer> gatherers;
  std::map<int, std::deque<Bytes>> out;
  job_->ForEachLocal([&](int rank) {
    Gatherer& gatherer = gatherers.try_emplace(rank, *job_, rank).first->second;
    for (size_t i = 0; i < sizes.size(); ++i) {
      out[rank].push_back(Pattern(rank, i, sizes[i]));
      Bytes sized(sizes[i]);
      Message recv(OperationKind::kRecvReduce, job_->Previous(rank), sized, i);
      recv.op.consumer = &gatherer;
      Message send(OperationKind::kSend, job_->Next(rank), out[rank].back(), 100 + i,
                   i % 2 ? 3 : 1);
      job_->Post(rank, {recv.op, send.op});
    }
  });
  const absl::Status status = job_->Finish();
  ASSERT_TRUE(status.ok()) << status;
  job_->ForEachLocal([&](int rank) {
    const Gatherer& gatherer = gatherers.at(rank);
    EXPECT_TRUE(gatherer.early);
    for (size_t i = 0; i < sizes.size(); ++i) {
      EXPECT_EQ(gatherer.bytes.at(i), Pattern(job_->Previous(rank), i, sizes[i]));
    }
  });
}

TEST_P(Contract, CostsOnlyComplete) {
  job_->ForEachLocal([&](int rank) {
    Operation copy, reduce, delay;
    copy.kind = OperationKind::kCopy;
    copy.bytes = 1000;
    copy.token = 1;
    reduce.kind = OperationKind::kReduce;
    reduce.bytes = 1000;
    reduce.token = 2;
    delay.kind = OperationKind::kDelay;
    delay.delay = 1000;
    delay.token = 3;
    job_->Post(rank, {copy, reduce, delay});
  });
  const absl::Status status = job_->Finish();
  EXPECT_TRUE(status.ok()) << status;
}

// Every rank sends `sent` bytes to the next and expects `expected`: the error of the first Poll
// that has one. Where ranks are many processes, each meets its own.
absl::Status Mismatch(Job& job, size_t sent, size_t expected) {
  // Kept to the end of the process: what failed may still be read by peers that have not.
  static std::deque<std::map<int, Bytes>> kept;
  std::map<int, Bytes>& out = kept.emplace_back();
  std::map<int, Bytes>& in = kept.emplace_back();
  job.ForEachLocal([&](int rank) {
    out[rank] = Bytes(sent, 1);
    in[rank] = Bytes(expected, 0);
    Message recv(OperationKind::kRecv, job.Previous(rank), in[rank], 1);
    Message send(OperationKind::kSend, job.Next(rank), out[rank], 2);
    job.Post(rank, {recv.op, send.op});
  });
  absl::Status status = job.Finish();
  // The error is final, whatever comes after it.
  job.ForEachLocal([&](int rank) {
    Operation delay;
    delay.kind = OperationKind::kDelay;
    job.backend().Post(rank, {&delay, 1});
  });
  std::vector<Completion> done;
  EXPECT_EQ(job.backend().Poll(Waiting::kNo, done), status);
  EXPECT_EQ(job.backend().Poll(Waiting::kYes, done), status);
  EXPECT_TRUE(done.empty());
  return status;
}

class Disagreement : public Contract {
 protected:
  void Expect(size_t sent, size_t expected) {
    const absl::Status status = Mismatch(*job_, sent, expected);
    ASSERT_FALSE(status.ok());
    const std::string text(status.message());
    EXPECT_NE(text.find(absl::StrCat(sent)), std::string::npos) << text;
    EXPECT_NE(text.find(absl::StrCat(expected)), std::string::npos) << text;
    EXPECT_NE(text.find("rank"), std::string::npos) << text;
  }
};

TEST_P(Disagreement, LongerIsAnErrorThatStays) { Expect(1024, 77); }
TEST_P(Disagreement, ShorterIsAnErrorThatStays) { Expect(77, 1024); }
TEST_P(Disagreement, SomethingForNothing) { Expect(31, 0); }
TEST_P(Disagreement, NothingForSomething) { Expect(0, 31); }
TEST_P(Disagreement, MuchLonger) { Expect(9 << 20, 77); }
TEST_P(Disagreement, MuchShorter) { Expect(1000, 9 << 20); }
TEST_P(Disagreement, LargeAndMuchLarger) { Expect(9 << 20, 100000); }
TEST_P(Disagreement, LargeAndLarger) { Expect((9 << 20) + 1, 9 << 20); }

TEST_P(Contract, SharesFromRankZero) {
  for (size_t size : {0, 1, 1000, 5 << 20}) {
    const Bytes expected = Pattern(7, size, size);
    const bool zero_is_here = job_->backend().local_ranks()[0] == 0;
    std::string bytes = zero_is_here ? std::string(expected.begin(), expected.end()) : "other";
    const absl::Status status = job_->backend().ShareFromRankZero(bytes);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Bytes(bytes.begin(), bytes.end()), expected);
  }
}

// What one process finds wrong, all of them hear; of several the first one's.
TEST_P(Contract, AgreesOnTheFirstFailure) {
  Backend& backend = job_->backend();
  EXPECT_TRUE(backend.Agree(absl::OkStatus()).ok());
  const bool several = static_cast<int>(backend.local_ranks().size()) < backend.ranks();
  const int mine = backend.local_ranks()[0];
  const int from = several ? 1 : 0;
  const absl::Status own =
      mine < from ? absl::OkStatus()
                  : absl::FailedPreconditionError(absl::StrCat("rank ", mine, " has had enough"));
  const absl::Status status = backend.Agree(own);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), absl::StrCat("rank ", from, " has had enough"));
  EXPECT_TRUE(backend.Agree(absl::OkStatus()).ok()) << "a verdict is not the backend's error";
}

// A backend may be closed while something is in flight, without waiting for it.
TEST_P(Contract, ClosesInFlight) {
  std::map<int, Bytes> in;
  job_->ForEachLocal([&](int rank) {
    in[rank] = Bytes(100000);
    Message recv(OperationKind::kRecv, job_->Previous(rank), in[rank], 1, 3);
    job_->Post(rank, recv.op);
  });
  job_.reset();
}

std::string NameOf(const testing::TestParamInfo<Entry>& info) { return info.param.name; }

constexpr Entry kBackends[] = {
#ifdef CCL_TEST_MPI
    {"Mpi", "mpi:?shm=no", 0},
    {"MpiShm", "mpi:", 0},  // the same where ranks share no host
#endif
    {"Tcp", "tcp:?shm=no", 0},
    {"TcpShared", "tcp:", 0},
    {"TcpOneConnection", "tcp:?shm=no&connections=1", 0},
    {"HostShm", "shm:", 0},
    {"Local2", "local:", 2},
    {"Local5", "local:", 5},
#ifdef CCL_TEST_EMULATED
    {"Emulated2", "emulated:crossbar?ranks=2", 2},
    {"Emulated5", "emulated:crossbar?ranks=5", 5},
#endif
};
INSTANTIATE_TEST_SUITE_P(Backends, Contract, testing::ValuesIn(kBackends), NameOf);
INSTANTIATE_TEST_SUITE_P(Backends, Disagreement, testing::ValuesIn(kBackends), NameOf);

}  // namespace
}  // namespace ccl
