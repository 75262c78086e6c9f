#include "bench/job.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "bench/pattern.h"
#include "ccl/base/status.h"

namespace ccl {

absl::StatusOr<std::unique_ptr<Job>> Job::Open(const Options& options, int ranks) {
  CCL_ASSIGN_OR_RETURN(const Options effective, WithEnvironment(options));
  CCL_ASSIGN_OR_RETURN(std::shared_ptr<World> world, World::Open(effective, ranks));
  std::unique_ptr<Job> job(new Job(world));
  for (int rank : world->engine().local_ranks()) {
    CCL_ASSIGN_OR_RETURN(auto communicator, Communicator::Create(world, rank));
    job->streams_.push_back(communicator->stream());
    job->communicators_.push_back(std::move(communicator));
  }
  return job;
}

char* Job::Memory::Get(uint64_t wanted) {
  if (wanted > bytes) {
    data.reset(new (std::nothrow) char[wanted]);
    bytes = data == nullptr ? 0 : wanted;
  }
  return data.get();
}

absl::Status Job::Iterate(const Trial& trial, const Choice& choice, const std::vector<Request>& requests) {
  if (!virtual_time() && !trial.sendrecv) {
    // As a program calls it.
    for (size_t i = 0; i < communicators_.size(); ++i) {
      CCL_RETURN_IF_ERROR(communicators_[i]->Run(requests[i], choice));
    }
    return world_->engine().Wait(streams_);
  }
  std::vector<std::unique_ptr<Work>> work;
  for (size_t i = 0; i < communicators_.size(); ++i) {
    Communicator& communicator = *communicators_[i];
    Request request = requests[i];
    if (trial.sendrecv) {
      const int n = ranks(), rank = communicator.rank();
      const uint64_t bytes = trial.count * SizeOf(trial.type);
      const int next = (rank + 1) % n, previous = (rank + n - 1) % n;
      work.push_back(communicator.MakeExchange(
          {{true, next, const_cast<void*>(request.in), bytes, communicator.NextChannel(true, next)},
           {false, previous, request.out, bytes, communicator.NextChannel(false, previous)}}));
      continue;
    }
    CCL_RETURN_IF_ERROR(communicator.Validate(request));
    CCL_ASSIGN_OR_RETURN(auto item, communicator.Make(request, choice));
    work.push_back(std::move(item));
  }
  world_->engine().Enqueue(streams_, std::move(work));
  return world_->engine().Wait(streams_);
}

// Over all ranks, on real ones by an allreduce of our own.
absl::StatusOr<double> Job::Combine(double value, ReduceOp op) {
  if (virtual_time() || ranks() == 1) return value;
  double result = 0;
  Request request{Collective::kAllReduce, DataType::kFloat64, op, 1, 0, &value, &result};
  CCL_RETURN_IF_ERROR(Iterate(Trial{}, {}, {request}));
  return result;
}

absl::StatusOr<Outcome> Job::Run(const Trial& trial) {
  const int n = ranks();
  const bool real = !world_->phantom();
  const Choice choice(trial.algorithm);
  in_.resize(communicators_.size());
  out_.resize(communicators_.size());
  std::vector<Request> requests(communicators_.size());
  const auto own = [&](const Request& request, int rank) {  // bytes before the own block
    if (request.blocks != nullptr) {
      const Blocks& blocks = *request.blocks;
      const BlockList& all =
          blocks.in.counts.size() > blocks.out.counts.size() ? blocks.in : blocks.out;
      return all.displacements[static_cast<size_t>(rank)] * SizeOf(request.type);
    }
    return static_cast<uint64_t>(rank) * request.count * SizeOf(request.type);
  };
  const auto prepare = [&]() -> absl::Status {
    for (size_t i = 0; i < communicators_.size(); ++i) {
      const int rank = communicators_[i]->rank();
      Request& request = requests[i];
      // A ring of sends is checked as an allgather whose block comes from the previous rank.
      request = {trial.sendrecv ? Collective::kAllGather : trial.collective, trial.type,
                 trial.sendrecv ? ReduceOp::kSum : trial.op, trial.count, trial.root};
      request.blocks = BlocksFor(request.collective, trial.count, n, trial.root, rank);
      if (!real) continue;
      const size_t size = SizeOf(trial.type);
      const Collective c = request.collective;
      const uint64_t in_bytes = InputElements(c, trial.count, n, trial.root, rank) * size;
      const uint64_t out_bytes =
          trial.sendrecv ? in_bytes : OutputElements(c, trial.count, n, trial.root, rank) * size;
      char* const in = in_[i].Get(in_bytes);
      char* const out = out_[i].Get(out_bytes);
      if ((in == nullptr && in_bytes > 0) || (out == nullptr && out_bytes > 0)) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "no memory for buffers of ", in_bytes, " and ", out_bytes, " bytes; --phantom needs none"));
      }
      FillInput(request, n, rank, in);
      if (out_bytes > 0) std::memset(out, 0x5a, out_bytes);
      request.in = in;
      request.out = out;
      if (!trial.in_place || in_bytes == 0 || out_bytes == 0) continue;
      switch (EvenForm(c)) {
        case Collective::kScan:
        case Collective::kExscan:
        case Collective::kAllReduce:
        case Collective::kBroadcast:
        case Collective::kReduce:
          request.out = in;
          break;
        case Collective::kReduceScatter:
        case Collective::kScatter:
          request.out = in + own(request, rank);
          break;
        case Collective::kAllGather:
        case Collective::kGather:
          std::memcpy(out + own(request, rank), in, in_bytes);
          request.in = out + own(request, rank);
          break;
        default:
          break;
      }
    }
    return absl::OkStatus();
  };
  Outcome outcome;
  if (trial.sendrecv) {
    outcome.algorithm = "sendrecv";
  } else {
    Request request{trial.collective, trial.type, trial.op, trial.count, trial.root};
    request.blocks = BlocksFor(trial.collective, trial.count, n, trial.root, 0);
    CCL_ASSIGN_OR_RETURN(auto plan,
                         world_->planner().Choose(trial.collective, PlanBytes(request, n),
                                                  trial.root, trial.algorithm));
    outcome.algorithm = Format(plan->spec);
  }
  // The first run is the one that is checked: later ones of an in-place reduction add up.
  CCL_RETURN_IF_ERROR(prepare());
  const Time begin = world_->engine().Now();
  CCL_RETURN_IF_ERROR(Iterate(trial, choice, requests));
  outcome.seconds = static_cast<double>(world_->engine().Now() - begin) * 1e-12;
  outcome.actors = world_->engine().actors();
  outcome.wrong = -1;
  if (trial.check && real) {
    double wrong = 0;
    for (size_t i = 0; i < communicators_.size(); ++i) {
      const int rank = communicators_[i]->rank();
      Request request = requests[i];
      if (trial.sendrecv) request.collective = Collective::kBroadcast;
      if (trial.sendrecv) request.root = (rank + n - 1) % n;
      wrong += static_cast<double>(CountWrong(request, n, rank, request.out));
    }
    CCL_ASSIGN_OR_RETURN(wrong, Combine(wrong, ReduceOp::kSum));
    outcome.wrong = static_cast<int64_t>(wrong);
  }
  if (virtual_time()) return outcome;
  for (int i = 0; i < trial.warmup; ++i) CCL_RETURN_IF_ERROR(Iterate(trial, choice, requests));
  CCL_RETURN_IF_ERROR(Combine(0, ReduceOp::kMax).status());  // everybody begins together
  const Time start = world_->engine().Now();
  for (int i = 0; i < trial.iterations; ++i) CCL_RETURN_IF_ERROR(Iterate(trial, choice, requests));
  const double seconds =
      static_cast<double>(world_->engine().Now() - start) * 1e-12 / std::max(1, trial.iterations);
  CCL_ASSIGN_OR_RETURN(outcome.seconds, Combine(seconds, ReduceOp::kMax));
  return outcome;
}

}  // namespace ccl
