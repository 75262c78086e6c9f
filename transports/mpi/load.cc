#include "transports/mpi/load.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "ccl/base/status.h"
#include "transports/mpi/module.h"

namespace ccl {
namespace {

// That of the MPI whose launcher has started this process comes first: MPICH's is Hydra.
std::vector<const char*> Names() {
  std::vector<const char*> names = {"libccl_mpi_openmpi.so", "libccl_mpi_mpich.so"};
  if (std::getenv("MPI_LOCALNRANKS") != nullptr && std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) {
    std::swap(names[0], names[1]);
  }
  return names;
}

// The directory of the library or program that this function is linked into; "" if unknown.
std::string OwnDirectory() {
  std::error_code error;
  Dl_info found;
  std::filesystem::path path;
  if (dladdr(reinterpret_cast<void*>(&OpenMpi), &found) != 0 && found.dli_fname) {
    path = found.dli_fname;
  }
  // A program is known by its argv[0], which need not be a path.
  if (!path.has_parent_path() || !std::filesystem::exists(path, error)) {
    path = "/proc/self/exe";
  }
  path = std::filesystem::canonical(path, error);
  return error ? "" : path.parent_path().string();
}

std::vector<std::string> Directories() {
  std::vector<std::string> directories;
  if (const char* from_user = std::getenv("CCL_MODULE_PATH")) {
    for (absl::string_view entry : absl::StrSplit(from_user, ':', absl::SkipEmpty())) {
      directories.emplace_back(entry);
    }
  }
  if (const std::string own = OwnDirectory(); !own.empty()) {
    directories.push_back(own);
    directories.push_back(
        (std::filesystem::path(own) / CCL_LIBDIR_FROM_BINDIR).lexically_normal().string());
  }
  directories.push_back(CCL_BUILD_MODULE_DIR);
  return directories;
}

absl::StatusOr<std::string> FindModule() {
  const std::vector<std::string> directories = Directories();
  const std::vector<const char*> names = Names();
  for (const std::string& directory : directories) {
    for (const char* name : names) {
      std::string path = absl::StrCat(directory, "/", name);
      if (access(path.c_str(), F_OK) == 0) return path;
    }
  }
  return absl::NotFoundError(absl::StrCat(
      "mpi: no module ", absl::StrJoin(names, " or "), " in ", absl::StrJoin(directories, ", "),
      "; was the library built with MPI? CCL_MODULE_PATH names other directories"));
}

absl::StatusOr<const mpi::Module*> LoadModule() {
  CCL_ASSIGN_OR_RETURN(const std::string path, FindModule());
  // NODELETE: MPI, once started, cannot be unloaded. Opening twice yields the same module.
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    return absl::UnavailableError(absl::StrCat("mpi: cannot load ", path, ": ", dlerror()));
  }
  const auto* const module = static_cast<const mpi::Module*>(dlsym(handle, CCL_MPI_MODULE_SYMBOL));
  if (module == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("mpi: ", path, " is no module of ours: ", dlerror()));
  }
  if (absl::string_view(module->abi) != CCL_MPI_MODULE_ABI) {
    return absl::FailedPreconditionError(absl::StrCat("mpi: ", path, " was built for '",
                                                      module->abi, "', this library is '",
                                                      CCL_MPI_MODULE_ABI, "'"));
  }
  return module;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> OpenMpi(absl::string_view rest, int ranks) {
  CCL_ASSIGN_OR_RETURN(const mpi::Module* module, LoadModule());
  return module->open(rest, ranks, Arena::OfProcess().place());
}

absl::StatusOr<const mpi::Collectives*> MpiCollectives() {
  CCL_ASSIGN_OR_RETURN(const mpi::Module* module, LoadModule());
  return module->collectives;
}

}  // namespace ccl
