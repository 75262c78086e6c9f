// Runs every collective by every algorithm on seeded random bytes and writes one line a case, the
// case and a hash of the rank's result, into FOLDER/rank.R for each rank R of this process.
// same_bits_test.py runs it under mpirun and on emulated ranks and compares the files.
//
// Usage: same_bits BACKEND RANKS SEED FOLDER
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ccl/algorithms/algorithm.h"
#include "ccl/base/elements.h"
#include "ccl/exec/engine.h"
#include "tests/exec/uneven.h"

namespace ccl {
namespace {

using Bytes = std::vector<unsigned char>;

struct Arithmetic {
  DataType type;
  ReduceOp op;
};
// Those whose results depend on the order of a fold, and some that round or wrap.
constexpr Arithmetic kArithmetic[] = {
    {DataType::kFloat32, ReduceOp::kSum},  {DataType::kFloat16, ReduceOp::kSum},
    {DataType::kFloat16, ReduceOp::kAvg},  {DataType::kBfloat16, ReduceOp::kProd},
    {DataType::kFloat64, ReduceOp::kAvg},  {DataType::kInt64, ReduceOp::kMax},
    {DataType::kInt8, ReduceOp::kAvg},     {DataType::kUint32, ReduceOp::kProd},
    {DataType::kFloat8E4M3, ReduceOp::kSum}, {DataType::kFloat8E5M2, ReduceOp::kSum},
};
// Nothing, less than a chunk a rank, no multiple of anything, more than one segment of a vector.
constexpr uint64_t kCounts[] = {0, 1, 13, 1009};

// Integers take all their bits; floats lie around 1, with full mantissas, so that no result
// overflows and almost every addition rounds.
void Fill(DataType type, std::mt19937_64& random, Bytes& bytes) {
  const auto fill = [&](auto zero, auto value) {
    using T = decltype(zero);
    for (size_t at = 0; at < bytes.size(); at += sizeof(T)) {
      const T next = T(value());
      std::memcpy(bytes.data() + at, &next, sizeof next);
    }
  };
  const auto real = [&] {
    const double magnitude = 0.5 + static_cast<double>(random() >> 11) * 0x1p-53;
    return static_cast<float>(random() % 4 == 0 ? -magnitude : magnitude);
  };
  switch (type) {
    case DataType::kFloat16: return fill(Float16(), real);
    case DataType::kBfloat16: return fill(Bfloat16(), real);
    case DataType::kFloat8E4M3: return fill(Float8E4M3(), real);
    case DataType::kFloat8E5M2: return fill(Float8E5M2(), real);
    case DataType::kFloat32: return fill(float{}, real);
    case DataType::kFloat64:
      return fill(double{}, [&] { return static_cast<double>(random() >> 11) * 0x1p-52 - 1; });
    default: return fill(uint8_t{}, [&] { return static_cast<uint8_t>(random()); });
  }
}

uint64_t Hash(const Bytes& bytes) {
  uint64_t hash = 14695981039346656037u;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

class Recorder {
 public:
  Recorder(std::unique_ptr<Backend> backend, uint64_t seed, const std::string& folder)
      : engine_(std::move(backend)), seed_(seed) {
    for (int rank : engine_.local_ranks()) {
      engine_.Adopt(rank);
      streams_.push_back(engine_.NewStream(rank));
      pointers_.push_back(streams_.back().get());
      files_.push_back(std::fopen(absl::StrCat(folder, "/rank.", rank).c_str(), "w"));
    }
  }
  ~Recorder() {
    for (std::FILE* file : files_) {
      if (file != nullptr) std::fclose(file);
    }
  }

  absl::Status Everything() {
    const int n = engine_.ranks();
    for (std::FILE* file : files_) {
      if (file == nullptr) return absl::UnavailableError("a result file cannot be written");
    }
    // Groups of two and of three: they divide some numbers of ranks and not others.
    std::vector<std::vector<Grouping>> groupings = {{}};
    for (int size : {2, 3}) {
      if (n > size) groupings.push_back({Grouping::Uniform(n, size)});
    }
    for (int k = 0; k < kCollectives; ++k) {
      const Collective collective = static_cast<Collective>(k);
      for (const std::vector<Grouping>& grouping : groupings) {
        const Shape shape{collective, n, HasRoot(collective) ? n / 2 : 0, 0, grouping};
        for (AlgorithmSpec spec : Candidates(shape)) {
          if (spec.parts.empty() != grouping.empty()) continue;  // flat ones once
          for (uint32_t slices : {1u, 3u}) {
            spec.slices = slices;
            const std::string name = absl::StrCat(
                Name(collective), " ", Format(spec),
                grouping.empty() ? "" : absl::StrCat(" in groups of ", grouping[0].size(0)));
            absl::Status status = Program(name, spec, shape);
            if (!status.ok()) return status;
          }
        }
      }
    }
    for (std::FILE* file : files_) {
      if (std::fflush(file) != 0) return absl::UnavailableError("a result file cannot be written");
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Program(const std::string& name, const AlgorithmSpec& spec, const Shape& shape) {
    auto program = BuildProgram(spec, shape, true);
    if (!program.ok()) return program.status();
    for (const Arithmetic& arithmetic : kArithmetic) {
      if (!Reduces(shape.collective) && arithmetic.op != ReduceOp::kSum) continue;
      for (uint64_t count : kCounts) {
        if (shape.collective == Collective::kBarrier && count > 0) continue;
        Request request{shape.collective, arithmetic.type, arithmetic.op, count, shape.root};
        absl::Status status =
            Run(absl::StrCat(name, " ", Name(arithmetic.type), " ", Name(arithmetic.op), " ", count),
                *program, request);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Run(const std::string& name, std::shared_ptr<const ccl::Program> program,
                   Request request) {
    const size_t local = pointers_.size(), size = SizeOf(request.type);
    const bool uneven = HasCounts(request.collective);
    const auto blocks = [&](int rank) {
      return uneven ? UnevenBlocks(request.collective, engine_.ranks(), request.root, rank,
                                   request.count, 5)
                    : nullptr;
    };
    const auto bytes = [&](BlockWindow window) -> size_t {
      if (window.blocks == 0 || request.collective == Collective::kBarrier) return 0;
      return request.count * size * (CountIsPerRank(request.collective) ? window.blocks : 1);
    };
    std::vector<Bytes> in(local), out(local);
    std::vector<std::unique_ptr<Work>> work;
    for (size_t i = 0; i < local; ++i) {
      const int rank = engine_.local_ranks()[i];
      request.blocks = blocks(rank);
      in[i].resize(uneven ? request.blocks->in.End() * size
                          : bytes(InputWindow(program->info(), rank)));
      out[i].assign(uneven ? request.blocks->out.End() * size
                           : bytes(OutputWindow(program->info(), rank)),
                    0x5a);
      std::seed_seq seed{seed_, uint64_t{cases_}, static_cast<uint64_t>(rank)};
      std::mt19937_64 random(seed);
      Fill(request.type, random, in[i]);
      request.in = in[i].data();
      request.out = out[i].data();
      work.push_back(std::make_unique<Execution>(program, rank, 1 + cases_ % 256, request));
    }
    ++cases_;
    engine_.Enqueue(pointers_, std::move(work));
    absl::Status status = engine_.Wait(pointers_);
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
    }
    for (size_t i = 0; i < local; ++i) {
      std::fprintf(files_[i], "%s %016lx\n", name.c_str(), static_cast<unsigned long>(Hash(out[i])));
    }
    return absl::OkStatus();
  }

  Engine engine_;
  const uint64_t seed_;
  uint32_t cases_ = 0;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> pointers_;
  std::vector<std::FILE*> files_;
};

}  // namespace
}  // namespace ccl

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: same_bits BACKEND RANKS SEED FOLDER\n");
    return 2;
  }
  auto backend = ccl::OpenBackend(argv[1], std::atoi(argv[2]));
  absl::Status status = backend.status();
  if (backend.ok()) {
    status = ccl::Recorder(*std::move(backend), std::strtoull(argv[3], nullptr, 10), argv[4])
                 .Everything();
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "same_bits: %s\n", std::string(status.message()).c_str());
  return 1;
}
