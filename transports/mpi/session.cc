#include "transports/mpi/session.h"

#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "transports/mpi/error.h"
#include "transports/mpi/global_symbols.h"

namespace ccl::mpi {
namespace {

// MPI is one per process, and so is this. Leaked, to be there for the exit handler.
struct Tenants {
  std::mutex mutex;
  std::vector<const Tenant*> list;
  bool abandoned = false;
};

Tenants& AllTenants() {
  static Tenants* const tenants = new Tenants;
  return *tenants;
}

void FinaliseAtExit(int exit_status) {
  if (exit_status != EXIT_SUCCESS || !Running()) return;
  Tenants& tenants = AllTenants();
  std::lock_guard<std::mutex> lock(tenants.mutex);
  if (tenants.abandoned) return;
  for (const Tenant* tenant : tenants.list) {
    if (!tenant->idle()) return;
  }
  MPI_Finalize();
}

}  // namespace

bool Running() {
  int initialised = 0, finalised = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  return initialised && !finalised;
}

Threads Level() {
  int provided = MPI_THREAD_SINGLE;
  MPI_Query_thread(&provided);
  if (provided == MPI_THREAD_MULTIPLE) return Threads::kAny;
  return provided == MPI_THREAD_SERIALIZED ? Threads::kSerialized : Threads::kOne;
}

absl::Status Start() {
  std::lock_guard<std::mutex> lock(AllTenants().mutex);
  int initialised = 0, finalised = 0;
  MPI_Initialized(&initialised);
  MPI_Finalized(&finalised);
  if (finalised) {
    return absl::FailedPreconditionError(
        "mpi: MPI is already finalised in this process and cannot start again");
  }
  if (initialised) return absl::OkStatus();
  if (absl::Status made = MakeSymbolsGlobal(); !made.ok()) return made;
  int provided = MPI_THREAD_SINGLE;
  const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided);
  if (code != MPI_SUCCESS) return ToStatus(code, -1, "MPI_Init_thread");
#ifdef __GLIBC__
  on_exit([](int exit_status, void*) { FinaliseAtExit(exit_status); }, nullptr);
#else
  std::atexit([] { FinaliseAtExit(EXIT_SUCCESS); });
#endif
  if (provided < MPI_THREAD_SERIALIZED) {
    return absl::FailedPreconditionError(
        absl::StrCat("mpi: this MPI offers thread level ", provided,
                     ", but calls come from several threads (MPI_THREAD_SERIALIZED)"));
  }
  return absl::OkStatus();
}

void AbandonFinalize() {
  std::lock_guard<std::mutex> lock(AllTenants().mutex);
  AllTenants().abandoned = true;
}

void Join(const Tenant* tenant) {
  std::lock_guard<std::mutex> lock(AllTenants().mutex);
  AllTenants().list.push_back(tenant);
}

void Leave(const Tenant* tenant) {
  std::lock_guard<std::mutex> lock(AllTenants().mutex);
  std::vector<const Tenant*>& list = AllTenants().list;
  list.erase(std::remove(list.begin(), list.end(), tenant), list.end());
}

}  // namespace ccl::mpi
