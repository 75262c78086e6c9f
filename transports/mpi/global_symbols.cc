#include "transports/mpi/global_symbols.h"

#include <dlfcn.h>
#include <mpi.h>

#include "absl/strings/str_cat.h"

namespace ccl::mpi {

absl::Status MakeSymbolsGlobal() {
  // The library we are linked to, whatever its name and wherever it lies.
  Dl_info found;
  if (dladdr(reinterpret_cast<void*>(&MPI_Init_thread), &found) == 0 || !found.dli_fname) {
    return absl::InternalError("mpi: cannot tell which library holds MPI_Init_thread");
  }
  // RTLD_NOLOAD: nothing new is loaded; the library and those it needs change their scope. The
  // handle is kept, as MPI is for the life of the process.
  if (dlopen(found.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD) == nullptr) {
    return absl::InternalError(
        absl::StrCat("mpi: cannot make the symbols of ", found.dli_fname, " global: ", dlerror()));
  }
  return absl::OkStatus();
}

}  // namespace ccl::mpi
