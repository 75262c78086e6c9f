#include "examples/05_trainer/world.h"

#include <cstdlib>
#include <stdexcept>

namespace trainer {
namespace {

// What mpirun told this process; -1 without it. The library loads MPI itself: this program needs
// only to know which rank it is.
int FromLauncher(const char* open_mpi, const char* pmi) {
  for (const char* name : {open_mpi, pmi}) {
    if (const char* value = std::getenv(name)) return std::atoi(value);
  }
  return -1;
}

}  // namespace

void Check(cclResult_t result) {
  if (result == cclSuccess) return;
  const std::string kind = cclGetErrorString(result);
  throw std::runtime_error(kind + ": " + cclGetLastError(nullptr));
}

World::World(const std::string& backend, int ranks, const std::string& algorithm) {
  const int launched = FromLauncher("OMPI_COMM_WORLD_SIZE", "PMI_SIZE");
  const bool mpi = backend.empty() ? launched > 0 : backend.rfind("mpi:", 0) == 0;
  if (launched > 1 && !mpi) {
    throw std::runtime_error("an emulated fabric is in one process: run it without mpirun");
  }
  if (mpi && ranks > 0 && launched > 0 && ranks != launched) {
    throw std::runtime_error("--ranks " + std::to_string(ranks) + ", but mpirun started " +
                             std::to_string(launched));
  }
  const std::string rule = algorithm.empty() ? "" : "allreduce:@" + algorithm;
  cclConfig_t config = CCL_CONFIG_INITIALIZER;
  config.backend = backend.empty() ? nullptr : backend.c_str();
  config.algorithms = rule.c_str();
  if (mpi) {
    ranks_ = launched > 0 ? launched : 1;
    first_rank_ = launched > 0 ? FromLauncher("OMPI_COMM_WORLD_RANK", "PMI_RANK") : 0;
    comms_.resize(1);
    // Processes that were launched together need no id to find each other.
    Check(cclCommInitRankConfig(comms_.data(), ranks_, cclUniqueId{}, first_rank_, &config));
  } else {
    ranks_ = ranks > 0 ? ranks : 1;
    emulated_ = true;
    comms_.resize(ranks_);
    Check(cclCommInitAllConfig(comms_.data(), ranks_, nullptr, &config));
  }
  for (cclComm_t comm : comms_) Check(cclStreamCreate(comm, &communication_.emplace_back()));
}

World::~World() {
  for (cclStream_t stream : communication_) cclStreamDestroy(stream);
  for (cclComm_t comm : comms_) cclCommDestroy(comm);
}

int64_t World::Picoseconds() const {
  int64_t time = 0;
  Check(cclCommGetTime(comms_[0], &time));
  return time;
}

void World::StartSum(const std::vector<float*>& buffers, size_t begin, size_t count) {
  Check(cclGroupStart());
  for (size_t i = 0; i < comms_.size(); ++i) {
    float* data = buffers[i] + begin;
    Check(cclAllReduce(data, data, count, cclFloat, cclSum, comms_[i], communication_[i]));
  }
  Check(cclGroupEnd());
}

void World::Compute(int64_t picoseconds, const std::function<void()>& meanwhile) {
  Check(cclGroupStart());
  for (cclComm_t comm : comms_) Check(cclCommCompute(comm, picoseconds));
  Check(cclGroupEnd());
  meanwhile();
  // A real transport moves on only while it is asked: let the sums under way have their turn.
  for (cclStream_t stream : communication_) {
    const cclResult_t result = cclStreamQuery(stream);
    if (result != cclInProgress) Check(result);
  }
  for (cclComm_t comm : comms_) Check(cclCommSynchronize(comm));
}

void World::WaitForSums() {
  for (cclStream_t stream : communication_) Check(cclStreamSynchronize(stream));
}

double World::Sum(std::vector<double> values) {
  Check(cclGroupStart());
  for (size_t i = 0; i < comms_.size(); ++i) {
    Check(cclAllReduce(&values[i], &values[i], 1, cclDouble, cclSum, comms_[i], nullptr));
  }
  Check(cclGroupEnd());
  for (cclComm_t comm : comms_) Check(cclCommSynchronize(comm));
  return values[0];
}

}  // namespace trainer
